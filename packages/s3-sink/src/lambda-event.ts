import {
  type RecordBlock,
  RecordBlockBuilder,
  type RecordHeaders,
  SchemaMismatchError,
} from '@stockpipe/core'

/** A record as Lambda's event source for Kafka (MSK, self-managed) hands it over. */
export interface KafkaLambdaRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly timestampType?: string
  /** Base64; null or left out: none. */
  readonly key?: string | null
  readonly value?: string | null
  /** One object a header: its name and the bytes of its value. */
  readonly headers?: readonly Readonly<Record<string, readonly number[] | null>>[]
}

/** An event of Lambda's event source for Kafka. */
export interface KafkaLambdaEvent {
  /** By topic and partition, `topic-0`. */
  readonly records: Readonly<Record<string, readonly KafkaLambdaRecord[]>>
}

/**
 * The records of a Lambda event as blocks, one a partition log, from its first record to its last: what
 * `PushSink.push` takes.
 *
 * Throws a `SchemaMismatchError` (`LAMBDA_EVENT_INVALID`) that names what is wrong, before anything is answered.
 */
export const recordBlocksOfLambdaEvent = (event: KafkaLambdaEvent): readonly RecordBlock[] => {
  const groups = new Map<string, { topic: string; partition: number; records: LambdaRecord[] }>()
  const { records } = asObject(event, 'the event')
  for (const [name, list] of Object.entries(asObject(records, 'records'))) {
    asList(list, `records["${name}"]`).forEach((value, index) => {
      const record = readRecord(
        asObject(value, `records["${name}"][${index}]`),
        `records["${name}"][${index}]`,
      )
      const { topic, partition } = record
      const group = groups.get(`${topic}-${partition}`) ?? { topic, partition, records: [] }
      groups.set(`${topic}-${partition}`, group)
      group.records.push(record)
    })
  }
  return [...groups.values()].map(({ topic, partition, records }) => {
    records.sort((left, right) => (left.offset < right.offset ? -1 : left.offset > right.offset ? 1 : 0))
    const builder = new RecordBlockBuilder({ topic, partition, firstOffset: records[0]!.offset })
    let last: bigint | undefined
    for (const record of records) {
      if (record.offset === last) throw invalid(`offset ${last} of ${topic}-${partition} is there twice`)
      last = record.offset
      builder.add(record)
    }
    return builder.finish()
  })
}

interface LambdaRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMillis: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: RecordHeaders | undefined
}

const readRecord = (members: Readonly<Record<string, unknown>>, at: string): LambdaRecord => {
  const { topic, partition, offset, timestamp, key, value, headers } = members
  if (typeof topic !== 'string' || topic === '') throw invalid(`${at}.topic is ${shown(topic)}, not a topic`)
  return {
    topic,
    partition: whole(partition, `${at}.partition`),
    offset: BigInt(whole(offset, `${at}.offset`)),
    timestampMillis: timestampOf(timestamp, `${at}.timestamp`),
    key: bytesOf(key, `${at}.key`),
    value: bytesOf(value, `${at}.value`),
    headers: headers === undefined || headers === null ? undefined : readHeaders(headers, `${at}.headers`),
  }
}

const readHeaders = (value: unknown, at: string): RecordHeaders => {
  const headers = new Map<string, (Uint8Array | undefined)[]>()
  asList(value, at).forEach((header, index) => {
    for (const [name, bytes] of Object.entries(asObject(header, `${at}[${index}]`))) {
      const content =
        bytes === null
          ? undefined
          : Uint8Array.from(asList(bytes, `${at}[${index}].${name}`), (byte) =>
              headerByte(byte, `${at}[${index}].${name}`),
            )
      headers.set(name, [...(headers.get(name) ?? []), content])
    }
  })
  return Object.fromEntries(headers)
}

/** Bytes come signed, as Java has them, or unsigned. */
const headerByte = (value: unknown, at: string): number => {
  if (Number.isInteger(value) && (value as number) >= -128 && (value as number) <= 255)
    return (value as number) & 0xff
  throw invalid(`${at} has ${shown(value)}, not a byte`)
}

const bytesOf = (value: unknown, at: string): Uint8Array | null => {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value))
    return Uint8Array.from(Buffer.from(value, 'base64'))
  throw invalid(`${at} is ${shown(value)}, not base64`)
}

const whole = (value: unknown, at: string): number => {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw invalid(`${at} is ${shown(value)}, not a whole number`)
}

/** Kafka takes any, and says -1 for none. */
const timestampOf = (value: unknown, at: string): number => {
  if (Number.isSafeInteger(value)) return value as number
  throw invalid(`${at} is ${shown(value)}, not a whole number`)
}

const asObject = (value: unknown, at: string): Readonly<Record<string, unknown>> => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  throw invalid(`${at} is ${shown(value)}, not an object`)
}

const asList = (value: unknown, at: string): readonly unknown[] => {
  if (Array.isArray(value)) return value
  throw invalid(`${at} is ${shown(value)}, not a list`)
}

const shown = (value: unknown): string =>
  value === undefined ? 'missing' : (JSON.stringify(value) ?? String(value)).slice(0, 60)

const invalid = (what: string): SchemaMismatchError =>
  new SchemaMismatchError({
    code: 'LAMBDA_EVENT_INVALID',
    message: `This is no event of a Kafka event source: ${what}. Nothing of it was taken.`,
  })
