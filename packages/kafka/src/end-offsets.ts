import type { Admin } from 'kafkajs'
import { logRanges } from './admin-session.ts'
import { kafkaFailure } from './kafka-failure.ts'

/**
 * Where a run ends in each partition of a topic: at the log's end, or before its first record with the timestamp
 * `until` (milliseconds since the epoch) or a later one when that comes first.
 * Throws a `StockpipeError` `TOPIC_UNKNOWN`, or `TOPIC_OFFSETS_FAILED`.
 */
export const endOffsets = async (
  admin: Pick<Admin, 'fetchTopicOffsets' | 'fetchTopicOffsetsByTimestamp'>,
  topic: string,
  until: number | 'latest',
): Promise<ReadonlyMap<number, bigint>> => {
  const ends = new Map<number, bigint>()
  for (const [partition, { logEnd }] of await logRanges(admin, topic)) ends.set(partition, logEnd)
  if (until === 'latest') return ends
  const found = await admin.fetchTopicOffsetsByTimestamp(topic, until).catch((error) => {
    throw kafkaFailure(error, {
      code: 'TOPIC_OFFSETS_FAILED',
      doing: `asking where topic ${topic} stood at ${new Date(until).toISOString()}`,
      retryable: true,
      facts: { topic, timestampMillis: until },
    })
  })
  // kafkajs answers the end of now where there is none.
  for (const { partition, offset } of found) {
    const end = ends.get(partition)
    if (end !== undefined && BigInt(offset) < end) ends.set(partition, BigInt(offset))
  }
  return ends
}
