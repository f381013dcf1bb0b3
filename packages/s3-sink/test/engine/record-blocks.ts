import { type RecordBlock, RecordBlockBuilder } from '@stockpipe/core'

const utf8 = new TextEncoder()

/** A record to be packed; a value that is not bytes is written as JSON. */
export interface TestRecord {
  readonly offset: bigint
  readonly value: unknown
  readonly key?: string
  readonly timestampMillis?: number
}

/** Records of one partition log as a block. */
export const blockOf = (
  topic: string,
  records: readonly TestRecord[],
  options: { readonly partition?: number; readonly firstOffset?: bigint; readonly nextOffset?: bigint } = {},
): RecordBlock => {
  const builder = new RecordBlockBuilder({
    topic,
    partition: options.partition ?? 0,
    firstOffset: options.firstOffset ?? records[0]?.offset ?? 0n,
  })
  for (const { offset, value, key, timestampMillis } of records) {
    builder.add({
      offset,
      timestampMillis: timestampMillis ?? 0,
      key: key === undefined ? null : utf8.encode(key),
      value: value instanceof Uint8Array ? value : utf8.encode(JSON.stringify(value)),
    })
  }
  return builder.finish(options.nextOffset)
}
