import type { LogSettings } from '../log/partition-log.ts'
import { CompressionCodec } from '../log/record-batch.ts'
import { RefusedRequestError } from '../protocol/error-code.ts'

interface ConfigDefinition {
  readonly fallback: string
  /** Says what is wrong with a value, or nothing. */
  readonly validate: (value: string) => string | undefined
}

const maxInt32 = 2147483647
const maxInt64 = 9223372036854775807n

const integer =
  (minimum: number, maximum: bigint) =>
  (value: string): string | undefined => {
    if (!/^-?\d{1,19}$/.test(value)) return 'it is not a whole number'
    if (BigInt(value) < BigInt(minimum)) return `it is less than ${minimum}`
    return BigInt(value) > maximum ? `it is more than ${maximum}` : undefined
  }
const int = (fallback: number, minimum: number): ConfigDefinition => ({
  fallback: String(fallback),
  validate: integer(minimum, BigInt(maxInt32)),
})
const long = (fallback: number | bigint, minimum: number): ConfigDefinition => ({
  fallback: String(fallback),
  validate: integer(minimum, maxInt64),
})
const oneOf = (fallback: string, ...others: string[]): ConfigDefinition => ({
  fallback,
  validate: (value) => {
    const values = [fallback, ...others]
    return values.includes(value) ? undefined : `it must be one of ${values.join(', ')}`
  },
})
/** A whole number within one of the ranges, ends included. */
const levels = (fallback: number, ...ranges: (readonly [number, number])[]): ConfigDefinition => ({
  fallback: String(fallback),
  validate: (value) => {
    const isLevel = /^-?\d{1,6}$/.test(value) && ranges.some(([low, high]) => +value >= low && +value <= high)
    return isLevel
      ? undefined
      : `it must be in ${ranges.map(([low, high]) => `${low}..${high}`).join(' or ')}`
  },
})
/** A configuration of Apache Kafka the embedded broker can serve at its default only. */
const only = (fallback: string): ConfigDefinition => ({
  fallback,
  validate: (value) =>
    value === fallback ? undefined : `the embedded broker supports ${fallback || 'an empty value'} only`,
})

/** The topic configurations of Apache Kafka, with what the embedded broker accepts for each. */
const definitions: Readonly<Record<string, ConfigDefinition>> = {
  'cleanup.policy': only('delete'),
  'compression.gzip.level': levels(-1, [-1, -1], [1, 9]),
  'compression.lz4.level': levels(9, [1, 17]),
  'compression.type': oneOf('producer', 'uncompressed', 'zstd', 'lz4', 'snappy', 'gzip'),
  'compression.zstd.level': levels(3, [-131_072, 22]),
  'delete.retention.ms': long(86_400_000, 0),
  'file.delete.delay.ms': long(60_000, 0),
  'flush.messages': only(String(maxInt64)),
  'flush.ms': only(String(maxInt64)),
  'follower.replication.throttled.replicas': only(''),
  'index.interval.bytes': int(4096, 0),
  'leader.replication.throttled.replicas': only(''),
  'max.compaction.lag.ms': long(maxInt64, 1),
  'max.message.bytes': int(1_048_588, 0),
  'message.timestamp.after.max.ms': long(3_600_000, 0),
  'message.timestamp.before.max.ms': long(maxInt64, 0),
  'message.timestamp.type': oneOf('CreateTime', 'LogAppendTime'),
  'min.cleanable.dirty.ratio': only('0.5'),
  'min.compaction.lag.ms': long(0, 0),
  // Without effect, as in Apache Kafka 4, where it counts no more than the replicas there are.
  'min.insync.replicas': int(1, 1),
  preallocate: only('false'),
  'remote.storage.enable': only('false'),
  'retention.bytes': long(-1, -1),
  'retention.ms': long(604_800_000, -1),
  // Smaller than Apache Kafka's 1 GiB: recovery and retention work by the segment.
  'segment.bytes': int(67_108_864, 14),
  'segment.index.bytes': int(10_485_760, 4),
  'segment.jitter.ms': long(0, 0),
  'segment.ms': long(604_800_000, 1),
  'unclean.leader.election.enable': only('false'),
}

const codecs: Readonly<Record<string, number>> = { ...CompressionCodec, uncompressed: CompressionCodec.none }

/** One configuration of a topic as it is reported. */
export interface EffectiveConfig {
  readonly name: string
  readonly value: string
  readonly isDefault: boolean
  readonly fallback: string
}

/** The overrides of a topic and the values that follow from them. */
export class TopicConfig {
  readonly overrides: Readonly<Record<string, string>>
  readonly logSettings: LogSettings
  readonly maxMessageBytes: number
  readonly timestampAfterMaxMillis: number
  readonly timestampBeforeMaxMillis: number
  /** What batches are kept as; without a codec as their producer made them. */
  readonly compression: { readonly codec: number | undefined; readonly gzipLevel: number }

  /** Throws a RefusedRequestError (`INVALID_CONFIG`) for an unknown name or a value that cannot be served. */
  constructor(overrides: Readonly<Record<string, string | null>>) {
    const checked: Record<string, string> = {}
    for (const [name, value] of Object.entries(overrides)) {
      const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined
      if (definition === undefined) throw invalidConfig(`Unknown topic config name: ${shorten(name)}`)
      if (value === null) throw invalidConfig(`Null value not supported for topic configs: ${name}`)
      const complaint = definition.validate(value)
      if (complaint !== undefined) {
        throw invalidConfig(`Invalid value ${shorten(value)} for configuration ${name}: ${complaint}`)
      }
      checked[name] = value
    }
    this.overrides = checked
    this.logSettings = {
      usesLogAppendTime: this.value('message.timestamp.type') === 'LogAppendTime',
      segmentBytes: this.#numberOf('segment.bytes'),
      segmentMillis: this.#numberOf('segment.ms'),
      retentionBytes: this.#numberOf('retention.bytes'),
      retentionMillis: this.#numberOf('retention.ms'),
    }
    this.maxMessageBytes = this.#numberOf('max.message.bytes')
    this.timestampAfterMaxMillis = this.#numberOf('message.timestamp.after.max.ms')
    this.timestampBeforeMaxMillis = this.#numberOf('message.timestamp.before.max.ms')
    this.compression = {
      codec: codecs[this.value('compression.type')],
      gzipLevel: this.#numberOf('compression.gzip.level'),
    }
  }

  value(name: string): string {
    return this.overrides[name] ?? definitions[name]!.fallback
  }

  /** Every configuration, or those of `names`. */
  describe(names: readonly string[] | null): EffectiveConfig[] {
    return Object.entries(definitions)
      .filter(([name]) => names === null || names.includes(name))
      .map(([name, { fallback }]) => {
        return { name, value: this.value(name), isDefault: !Object.hasOwn(this.overrides, name), fallback }
      })
  }

  #numberOf(name: string): number {
    return Number(this.value(name))
  }
}

const invalidConfig = (message: string) => new RefusedRequestError('INVALID_CONFIG', message)

/** Client input inside a message is cut, so that an answer stays small. */
const shorten = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}...` : text)
