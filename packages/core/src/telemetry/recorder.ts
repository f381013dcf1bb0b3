import { channels, type SinkLogEvent } from '../telemetry.ts'
import { type Instrument, instruments, type Label } from './instruments.ts'

export type LabelValues = Readonly<Partial<Record<Label, string>>>

/** Takes measurements down; Prometheus and OpenTelemetry each bring one. */
export interface Recorder {
  /** Adds to a counter, or a value to a histogram. */
  add(instrument: Instrument, amount: number, labels: LabelValues): void
  /** Sets a gauge; undefined takes the series away. */
  set(instrument: Instrument, value: number | undefined, labels: LabelValues): void
}

/** Turns what the channels say into measurements until the answer is called. */
export const recordChannels = (recorder: Recorder): (() => void) => {
  const ends = [...recordSinks(recorder), ...recordKafka(recorder)]
  return () => {
    for (const end of ends.splice(0)) end()
  }
}

const perLog = [
  instruments.newestEventTime,
  instruments.lastGroupTime,
  instruments.publishedOffset,
  instruments.bufferedRows,
  instruments.bufferedMemory,
]

const recordSinks = (to: Recorder): (() => void)[] => [
  channels.s3Sink.group.subscribe((group) => {
    const { sink, millis } = group
    to.add(instruments.groups, 1, { sink, reason: group.cutBy })
    to.add(instruments.records, group.records, { sink })
    to.add(instruments.rows, group.rows, { sink })
    to.add(instruments.deadLetters, group.deadLetters, { sink })
    for (const { kind, bytes } of group.files) to.add(instruments.fileSize, bytes, { sink, kind })
    for (const [step, taken] of Object.entries(millis)) {
      to.add(instruments.stepDuration, taken / 1000, { sink, step })
    }
    const log = logLabels(group)
    to.set(instruments.lastGroupTime, group.publishedAt / 1000, log)
    to.set(instruments.publishedOffset, Number(group.next), log)
    if (group.maxEventTime === null) return
    // A clock that is behind the exchange's makes no time negative.
    const freshness = Math.max(0, group.publishedAt - group.maxEventTime)
    to.add(instruments.freshness, freshness / 1000, { sink })
    to.set(instruments.newestEventTime, group.maxEventTime / 1000, log)
  }),
  channels.s3Sink.settled.subscribe(({ sink }) => to.add(instruments.settled, 1, { sink })),
  channels.s3Sink.fenced.subscribe(({ sink }) => to.add(instruments.fenced, 1, { sink })),
  channels.s3Sink.failed.subscribe(({ sink }) => to.add(instruments.failed, 1, { sink })),
  channels.s3Sink.retry.subscribe(({ sink = '', what, code }) =>
    to.add(instruments.retries, 1, { sink, action: what.split(' ', 1)[0]!, code }),
  ),
  channels.s3Sink.request.subscribe(({ sink, store, operation, outcome, millis, bytes }) => {
    to.add(instruments.requests, 1, { sink, store, operation, outcome })
    to.add(instruments.requestDuration, millis / 1000, { sink, operation })
    if (bytes > 0) to.add(instruments.transfer, bytes, { sink, operation })
  }),
  channels.s3Sink.memory.subscribe(({ sink, usedBytes, limitBytes, full }) => {
    to.set(instruments.memoryUsed, usedBytes, { sink })
    to.set(instruments.memoryLimit, limitBytes, { sink })
    to.set(instruments.memoryFull, full ? 1 : 0, { sink })
  }),
  channels.s3Sink.buffered.subscribe((buffered) => {
    const log = logLabels(buffered)
    to.set(instruments.bufferedRows, buffered.rows, log)
    to.set(instruments.bufferedMemory, buffered.bytes, log)
    if (!buffered.open) for (const instrument of perLog) to.set(instrument, undefined, log)
  }),
]

const recordKafka = (to: Recorder): (() => void)[] => [
  channels.kafka.joined.subscribe(({ groupId: group, partitions }) => {
    to.add(instruments.joins, 1, { group })
    to.set(instruments.partitions, partitions.length, { group })
  }),
  channels.kafka.left.subscribe(({ groupId: group }) => {
    to.set(instruments.partitions, undefined, { group })
  }),
  channels.kafka.revoked.subscribe(({ groupId: group, partitions }) => {
    for (const { topic, partition } of partitions) {
      const member = { group, topic, partition: String(partition) }
      to.set(instruments.lagRecords, undefined, member)
      to.set(instruments.lag, undefined, member)
    }
  }),
  channels.kafka.block.subscribe(({ groupId: group, topic, records, bytes, millis }) => {
    to.add(instruments.consumed, records, { group, topic })
    to.add(instruments.read, bytes, { group, topic })
    to.add(instruments.sinkWait, millis / 1000, { group, topic })
  }),
  channels.kafka.lag.subscribe(({ groupId: group, topic, partition, records, seconds }) => {
    const member = { group, topic, partition: String(partition) }
    to.set(instruments.lagRecords, records, member)
    to.set(instruments.lag, seconds ?? undefined, member)
  }),
  channels.kafka.delivery.subscribe(({ topic, outcome, records, bytes, millis }) => {
    to.add(instruments.produced, records, { topic, outcome })
    to.add(instruments.batchDuration, millis / 1000, { topic, outcome })
    if (outcome === 'delivered') to.add(instruments.sent, bytes, { topic })
  }),
]

const logLabels = ({ sink, topic, partition }: SinkLogEvent): LabelValues => ({
  sink,
  topic,
  partition: String(partition),
})
