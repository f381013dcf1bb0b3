import { channels } from '@stockpipe/core'
import type { ServiceLog } from './service-log.ts'

/** What an operator should know, as lines: who reads what, what was settled, fenced; silent while all is well. */
export const logEvents = (
  log: ServiceLog,
  { sink, groupId }: { readonly sink: string; readonly groupId: string },
): (() => void) => {
  const ends = [
    channels.kafka.joined.subscribe((event) => {
      if (event.groupId !== groupId || event.partitions.length > 0) return
      log.info('Joined the group, which has no partition left for this member: it stands by.', { groupId })
    }),
    channels.kafka.assigned.subscribe((event) => {
      if (event.groupId !== groupId) return
      const positions = event.partitions.map(({ partition, offset }) => `${partition}@${offset}`)
      log.info(`Reading ${event.partitions.length} partitions.`, { positions: positions.join(' ') })
    }),
    channels.kafka.revoked.subscribe((event) => {
      if (event.groupId !== groupId) return
      const partitions = event.partitions.map(({ partition }) => partition).join(' ')
      log.info(`${event.partitions.length} partitions have left.`, { partitions, drained: event.drained })
    }),
    channels.s3Sink.settled.subscribe((event) => {
      if (event.sink !== sink) return
      const { topic, partition, start, next, writer } = event
      log.info('Published a group that its writer had claimed and not finished.', {
        log: `${topic}-${partition}`,
        start,
        next,
        writer,
      })
    }),
    channels.s3Sink.fenced.subscribe((event) => {
      if (event.sink === sink) log.warn(event.error.message)
    }),
  ]
  return () => {
    for (const end of ends) end()
  }
}
