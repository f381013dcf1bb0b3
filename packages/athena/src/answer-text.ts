import { Decimal, parseInstantNanos, zoneOffset } from '@stockpipe/core'
import type { AnswerType, ZonedTimestamp } from './answer-column.ts'

/** Why a text cannot be read as what it is stated to be, where more can be said than that it cannot. */
export class UnreadableValue {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

/** Reads the text Athena gives for a value; undefined, or with a reason, when it is no such text. */
export type ReadText = (text: string) => unknown

const nanosPerMilli = 1_000_000n

/** Zeros beyond the ninth digit after the second say nothing; other digits there cannot be kept. */
const superfluousZeros = /(\.\d{9})0{1,3}(?!\d)/

export const readNanos = (text: string): bigint | undefined =>
  parseInstantNanos(text.replace(superfluousZeros, '$1'))

const zoned = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,12})?) ?(\S+)$/
const offset = /^[+-]\d\d:\d\d$/

const readZoned: ReadText = (text): ZonedTimestamp | UnreadableValue | undefined => {
  const [, local, zone] = zoned.exec(text) ?? []
  if (local === undefined || zone === undefined) return undefined
  if (offset.test(zone) || zone === 'UTC') {
    const epochNanos = readNanos(zone === 'UTC' ? local : `${local}${zone}`)
    return epochNanos === undefined ? undefined : { epochNanos, zone }
  }
  const localNanos = readNanos(local)
  if (localNanos === undefined) return undefined
  const offsets = offsetsAt(Number(localNanos / nanosPerMilli), zone)
  if (offsets?.length === 1) return { epochNanos: localNanos - BigInt(offsets[0]!) * nanosPerMilli, zone }
  if (offsets?.length === 2) {
    return new UnreadableValue(
      "which its zone has twice, as clocks are set back then: select it AT TIME ZONE 'UTC'",
    )
  }
  return undefined
}

const dayMillis = 86_400_000

/** The offsets a zone has, in milliseconds, when its clocks show a time; none for a time that is left out. */
const offsetsAt = (localMillis: number, zone: string): number[] | undefined => {
  try {
    const offsetAt = zoneOffset(zone)
    const near = new Set([offsetAt(localMillis - dayMillis), offsetAt(localMillis + dayMillis)])
    return [...near].filter((millis) => offsetAt(localMillis - millis) === millis)
  } catch (error) {
    if (error instanceof RangeError) return undefined // no zone that this Node knows
    throw error
  }
}

const dayInterval = /^(-?)(\d+) (\d\d):(\d\d):(\d\d)\.(\d{3})$/

const readDayInterval: ReadText = (text) => {
  const match = dayInterval.exec(text)
  if (!match) return undefined
  const [days, hours, minutes, seconds, millis] = match.slice(2).map(BigInt) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ]
  const value = (((days * 24n + hours) * 60n + minutes) * 60n + seconds) * 1000n + millis
  return match[1] === '-' ? -value : value
}

const readMonthInterval: ReadText = (text) => {
  const [, sign, years, months] = /^(-?)(\d+)-(\d+)$/.exec(text) ?? []
  if (years === undefined) return undefined
  const value = Number(years) * 12 + Number(months)
  return sign === '-' && value > 0 ? -value : value
}

const jsonToken = /"(?:[^"\\]|\\[\s\S])*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** Whether a number is what `JSON.parse` makes of it. */
const isKept = (number: string): boolean => {
  const parsed = Number(number)
  if (number.length <= 15) return Number.isFinite(parsed) && (parsed !== 0 || !/[1-9].*[eE]/.test(number))
  const exact = Decimal.tryParse(number)
  const kept = Number.isFinite(parsed) ? Decimal.tryParse(String(parsed)) : undefined
  return exact !== undefined && kept !== undefined && exact.equals(kept)
}

const readJson: ReadText = (text) => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const rounded = text.match(jsonToken)?.find((token) => !token.startsWith('"') && !isKept(token))
  return rounded === undefined
    ? value
    : new UnreadableValue(
        `whose number ${rounded} would be rounded: state t.json(), or a list, map or struct of t`,
      )
}

const matching =
  (pattern: RegExp): ReadText =>
  (text) =>
    pattern.test(text) ? text : undefined

/** How the text of each type that only answers have is read. */
export const answerReaders: Readonly<Record<AnswerType['kind'], ReadText>> = {
  timestampNanos: (text) => (/[Zz]|[+-]\d\d:?\d\d$/.test(text.slice(10)) ? undefined : readNanos(text)),
  timestampWithTimeZone: readZoned,
  time: matching(/^\d\d:\d\d:\d\d(?:\.\d{1,12})?(?: ?[+-]\d\d:\d\d)?$/),
  intervalDayToSecond: readDayInterval,
  intervalYearToMonth: readMonthInterval,
  uuid: (text) =>
    /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? text.toLowerCase() : undefined,
  parsedJson: readJson,
  text: (text) => text,
}
