/** What the leader of a partition answers about one batch. */
export interface ProduceAnswer {
  readonly errorCode: number
  /** Offset of the first record, -1 where there is none. */
  readonly baseOffset: bigint
  /** Set by topics with `message.timestamp.type=LogAppendTime`; -1 by others. */
  readonly logAppendTime: bigint
}

export interface PartitionBatch {
  readonly partition: number
  readonly bytes: Buffer
}

/** Produce v7 (Kafka 2.1) is the first that takes zstd. */
export const produceApi = { key: 0, version: 7 } as const

/** The body of a Produce request for one topic, acknowledged by all in-sync replicas. */
export const encodeProduce = (
  topic: string,
  batches: readonly PartitionBatch[],
  timeoutMillis: number,
): Buffer => {
  const name = Buffer.from(topic)
  const head = Buffer.allocUnsafe(2 + 2 + 4 + 4 + 2 + name.length + 4)
  head.writeInt16BE(-1, 0)
  head.writeInt16BE(-1, 2)
  head.writeInt32BE(timeoutMillis, 4)
  head.writeInt32BE(1, 8)
  head.writeInt16BE(name.length, 12)
  name.copy(head, 14)
  head.writeInt32BE(batches.length, 14 + name.length)
  const parts: Buffer[] = [head]
  for (const { partition, bytes } of batches) {
    const lead = Buffer.allocUnsafe(8)
    lead.writeInt32BE(partition, 0)
    lead.writeInt32BE(bytes.length, 4)
    parts.push(lead, bytes)
  }
  return Buffer.concat(parts)
}

/** The answers of a Produce response by partition, and for how long the broker wants to be left alone. */
export const decodeProduce = (
  response: Buffer,
  topic: string,
): { readonly answers: ReadonlyMap<number, ProduceAnswer>; readonly throttleMillis: number } => {
  const answers = new Map<number, ProduceAnswer>()
  let position = 4
  for (let topics = response.readInt32BE(0); topics > 0; topics--) {
    const nameLength = response.readInt16BE(position)
    const name = response.toString('utf8', position + 2, position + 2 + nameLength)
    let partitions = response.readInt32BE(position + 2 + nameLength)
    position += 6 + nameLength
    for (; partitions > 0; partitions--) {
      if (name === topic) {
        answers.set(response.readInt32BE(position), {
          errorCode: response.readInt16BE(position + 4),
          baseOffset: response.readBigInt64BE(position + 6),
          logAppendTime: response.readBigInt64BE(position + 14),
        })
      }
      position += 30
    }
  }
  return { answers, throttleMillis: response.readInt32BE(position) }
}
