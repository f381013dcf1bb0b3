import {
  type ColumnDefinition,
  type ColumnVector,
  calendarPartition,
  calendarStep,
  defaultPartitionName,
  formatDate,
  type PartitionDefinition,
  StockpipeError,
  type ZoneOffset,
  zoneOffset,
} from '@stockpipe/core'
import { isNull } from './validity-buffer.ts'

/** The id of a row whose value no partition can stand for. */
export const unroutable = -1

/** 0001-01-01 and 9999-12-31, the dates Athena knows. */
const firstDay = -719_162
const lastDay = 2_932_896
const millisPerDay = 86_400_000
/** 1972-01-01: before it a zone's offset may change within a calendar step. */
const stepsFrom = 63_072_000_000 / calendarStep

/** Texts of one partition of a table, numbered; 0 is the default partition (null). */
export class PartitionValues {
  readonly texts: (string | null)[] = [null]
  readonly definition: PartitionDefinition
  readonly #ids = new Map<string, number>()
  readonly #known = new Map<number, number>()
  readonly #kind: ColumnDefinition['type']['kind']
  readonly #zone: ZoneOffset

  constructor(definition: PartitionDefinition, source: ColumnDefinition) {
    this.definition = definition
    this.#kind = source.type.kind
    this.#zone = zoneOffset(definition.timeZone)
  }

  /** Memory held, estimated. */
  get capacityBytes(): number {
    return this.texts.length * 100 + this.#known.size * 40
  }

  /** Answers the id of each row from `begin` on, or `unroutable`. */
  idsOf(vector: ColumnVector, begin: number, rows: number): Int32Array {
    const ids = new Int32Array(rows)
    const { validity } = vector
    const idOf = this.#lookup(vector)
    for (let row = begin; row < rows; row += 1) {
      if (isNull(validity, row)) continue
      ids[row] = idOf(row)
    }
    return ids
  }

  #lookup(vector: ColumnVector): (row: number) => number {
    switch (vector.kind) {
      case 'dictionary':
        return this.#ofDictionary(vector)
      case 'boolean':
        return (row) => this.#intern((vector.values[row >> 3]! >> (row & 7)) & 1 ? 'true' : 'false')
      case 'int8':
      case 'int16':
      case 'int32': {
        const { values } = vector
        const ofNumber = this.#kind === 'date' ? this.#ofDate : (value: number) => this.#intern(String(value))
        return this.#remembered((row) => values[row]!, ofNumber)
      }
      case 'int64':
        if (this.definition.transform === 'identity') {
          return (row) => this.#intern(String(vector.values[row]!))
        }
        return this.#ofInstant(vector.values)
      default:
        throw new StockpipeError({
          code: 'PARTITION_SOURCE_KIND',
          message: `Partition '${this.definition.name}' cannot be made from a decoded column of kind ${vector.kind}.`,
        })
    }
  }

  /** Looks a key up once for as long as it repeats, and once in all where it is known. */
  #remembered(keyOf: (row: number) => number, make: (key: number) => number): (row: number) => number {
    let lastKey = Number.NaN
    let lastId = 0
    return (row) => {
      const key = keyOf(row)
      if (key === lastKey) return lastId
      let id = this.#known.get(key)
      if (id === undefined) this.#known.set(key, (id = make(key)))
      lastKey = key
      lastId = id
      return id
    }
  }

  #ofDictionary({ codes, dictionary }: ColumnVector & { kind: 'dictionary' }): (row: number) => number {
    const { offsets, bytes } = dictionary
    const ids = new Int32Array(offsets.length - 1).fill(-1)
    const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
    return (row) => {
      const code = codes[row]!
      const known = ids[code]!
      if (known >= 0) return known
      return (ids[code] = this.#intern(utf8.decode(bytes.subarray(offsets[code]!, offsets[code + 1]!))))
    }
  }

  readonly #ofDate = (days: number): number => {
    if (days < firstDay || days > lastDay) return unroutable
    const { transform } = this.definition
    // A date is a date in every zone.
    if (transform !== 'identity')
      return this.#intern(calendarPartition(transform, days * millisPerDay, () => 0))
    return this.#intern(formatDate(days))
  }

  /** Instants are read as two 32-bit words, so that no bigint is made, and looked up by calendar step. */
  #ofInstant(values: BigInt64Array): (row: number) => number {
    const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
    const millisOf =
      this.#kind === 'epochNanos'
        ? (row: number) => Number(values[row]! / 1_000_000n) - (values[row]! % 1_000_000n < 0n ? 1 : 0)
        : (row: number) => words[row * 2 + 1]! * 4_294_967_296 + (words[row * 2]! >>> 0)
    // A step of 900,000,000,000 ns is 2^11 * 439,453,125: what is divided stays below 2^53, and so exact.
    const stepOf =
      this.#kind === 'epochNanos'
        ? (row: number) =>
            Math.floor((words[row * 2 + 1]! * 2_097_152 + (words[row * 2]! >>> 11)) / 439_453_125)
        : (row: number) => Math.floor(millisOf(row) / calendarStep)
    const ofStep = this.#remembered(
      (row) => stepOf(row),
      (step) => this.#ofMillis(step * calendarStep),
    )
    return (row) => (stepOf(row) < stepsFrom ? this.#ofMillis(millisOf(row)) : ofStep(row))
  }

  #ofMillis(millis: number): number {
    const day = Math.floor(millis / millisPerDay)
    if (day < firstDay || day > lastDay) return unroutable
    const { transform } = this.definition
    return this.#intern(calendarPartition(transform as 'year', millis, this.#zone))
  }

  /** The empty string, and the name Hive gives it, share the key of null: they are the default partition. */
  #intern(text: string): number {
    if (text === '' || text === defaultPartitionName) return 0
    let id = this.#ids.get(text)
    if (id === undefined) {
      id = this.texts.length
      this.texts.push(text)
      this.#ids.set(text, id)
    }
    return id
  }
}
