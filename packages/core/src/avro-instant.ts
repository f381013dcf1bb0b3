import type { AvroCursor } from './avro-cursor.ts'
import { writeProduct, writeWhole } from './decimal-digits.ts'
import { earliestMillis, latestMillis } from './instant.ts'

/** Reads a value into 32-bit words at `index`, low word first; false: the cursor says why not. */
export type AvroWordsReader = (cursor: AvroCursor, words: Int32Array, index: number) => boolean

const earliest = Number(earliestMillis)
const latest = Number(latestMillis)

/** Units of a second. */
export type UnitsPerSecond = 1 | 1e3 | 1e6 | 1e9

const unitNames: Readonly<Record<UnitsPerSecond, string>> = { 1: 's', 1e3: 'ms', 1e6: 'us', 1e9: 'ns' }

const division = { quotient: 0, remainder: 0 }

/** Divides the long read last by up to 10^9, downwards. The quotient is exact where it is below 2^53. */
const divide = (cursor: AvroCursor, divisor: number): void => {
  const upper = Math.floor(cursor.high / divisor)
  const rest = (cursor.high - upper * divisor) * 4_294_967_296 + (cursor.low >>> 0)
  const lower = Math.floor(rest / divisor)
  division.quotient = upper * 4_294_967_296 + lower
  division.remainder = rest - lower * divisor
}

/** Reads longs of a unit since the epoch as milliseconds. */
export const millisReader =
  (units: UnitsPerSecond, floor: boolean): AvroWordsReader =>
  (cursor, words, index) => {
    if (!cursor.readLong()) return false
    let millis: number
    if (units <= 1e3) millis = cursor.approximate * (1e3 / units)
    else {
      divide(cursor, units / 1e3)
      if (division.remainder !== 0 && !floor) {
        return cursor.fail(
          `is finer than a millisecond: ${cursor.exact} ${unitNames[units]}; say floor('millis') to cut it`,
        )
      }
      millis = division.quotient
    }
    if (millis < earliest || millis > latest) {
      return cursor.fail(`lies outside the years 0001 to 9999: ${cursor.exact} ${unitNames[units]}`)
    }
    writeWhole(words, index, millis)
    return true
  }

/** Reads longs of a unit since the epoch as nanoseconds. */
export const nanosReader = (units: UnitsPerSecond): AvroWordsReader =>
  units === 1e9
    ? (cursor, words, index) => {
        if (!cursor.readLong()) return false
        words[index] = cursor.low
        words[index + 1] = cursor.high
        return true
      }
    : (cursor, words, index) => {
        if (!cursor.readLong()) return false
        divide(cursor, units)
        const { quotient: seconds, remainder } = division
        // Within 10^10 seconds the product is exact, and 64 bits end before them.
        const fits =
          Math.abs(seconds) < 1e10 && writeProduct(words, index, seconds, 1e9, remainder * (1e9 / units))
        return fits || cursor.fail(`does not fit 64 bits in ns: ${cursor.exact} ${unitNames[units]}`)
      }
