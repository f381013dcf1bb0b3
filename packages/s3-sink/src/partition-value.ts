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
import { reusedArray } from './reused-array.ts'
import { isNull } from './validity-buffer.ts'

/** The id of a row whose value no partition can stand for. */
export const unroutable = -1

/** 0001-01-01 and 9999-12-31, the dates Athena knows. */
const firstDay = -719_162
const lastDay = 2_932_896
const millisPerDay = 86_400_000
const isKnown = (millis: number): boolean =>
  millis >= firstDay * millisPerDay && millis < (lastDay + 1) * millisPerDay
/** Stands for the id of a calendar step within which the partition changes. */
const changing = -2
/** Calendar steps a batch's instants are likely to lie in; a power of two. */
const recentSteps = 64

const reusedIds = reusedArray(Int32Array)

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

  /** Answers the id of each row from `begin` on, or `unroutable`; it holds until the next call for any partition. */
  idsOf(vector: ColumnVector, begin: number, rows: number): Int32Array {
    const ids = reusedIds(rows).fill(0)
    if (vector.kind === 'dictionary') this.#ofDictionary(vector, begin, ids)
    else if (vector.kind === 'int64' && this.definition.transform !== 'identity')
      this.#ofInstants(vector, begin, ids)
    else {
      const idOf = this.#lookup(vector)
      for (let row = begin; row < rows; row += 1) if (!isNull(vector.validity, row)) ids[row] = idOf(row)
    }
    return ids
  }

  #lookup(vector: ColumnVector): (row: number) => number {
    switch (vector.kind) {
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
        return (row) => this.#intern(String(vector.values[row]!))
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

  #ofDictionary(
    { codes, dictionary, validity }: ColumnVector & { kind: 'dictionary' },
    begin: number,
    ids: Int32Array,
  ): void {
    const { offsets, bytes } = dictionary
    const known = new Int32Array(offsets.length - 1).fill(-1)
    const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
    for (let row = begin; row < ids.length; row += 1) {
      if (isNull(validity, row)) continue
      const code = codes[row]!
      let id = known[code]!
      if (id < 0) {
        id = this.#intern(utf8.decode(bytes.subarray(offsets[code]!, offsets[code + 1]!)))
        known[code] = id
      }
      ids[row] = id
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
  #ofInstants({ values, validity }: ColumnVector & { kind: 'int64' }, begin: number, ids: Int32Array): void {
    const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
    const isNanos = this.#kind === 'epochNanos'
    // The steps met last, by their low bits.
    const steps = new Float64Array(recentSteps).fill(Number.NaN)
    const idsOfSteps = new Int32Array(recentSteps)
    for (let row = begin; row < ids.length; row += 1) {
      if (isNull(validity, row)) continue
      const high = words[row * 2 + 1]!
      const low = words[row * 2]!
      // A step of 900,000,000,000 ns is 2^11 * 439,453,125: what is divided stays below 2^53, and so exact.
      const step = isNanos
        ? Math.floor((high * 2_097_152 + (low >>> 11)) / 439_453_125)
        : Math.floor((high * 4_294_967_296 + (low >>> 0)) / calendarStep)
      const slot = step & (recentSteps - 1)
      if (steps[slot] !== step) {
        steps[slot] = step
        idsOfSteps[slot] = this.#ofStep(step)
      }
      const id = idsOfSteps[slot]!
      if (id !== changing) {
        ids[row] = id
        continue
      }
      const millis = isNanos
        ? Number(values[row]! / 1_000_000n) - (values[row]! % 1_000_000n < 0n ? 1 : 0)
        : high * 4_294_967_296 + (low >>> 0)
      ids[row] = this.#ofMillis(millis)
    }
  }

  /** The id of all instants of a calendar step, or `changing`. */
  #ofStep(step: number): number {
    let id = this.#known.get(step)
    if (id === undefined) {
      const first = this.#ofMillis(step * calendarStep)
      id = first === this.#ofMillis((step + 1) * calendarStep - 1) ? first : changing
      this.#known.set(step, id)
    }
    return id
  }

  #ofMillis(millis: number): number {
    // In the zone too: the text of a year 10000 would sort before those of the years before it.
    if (!isKnown(millis) || !isKnown(millis + this.#zone(millis))) return unroutable
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
