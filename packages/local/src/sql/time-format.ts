import { FunctionFailure } from './decimal-arithmetic.ts'
import { daysOf } from './time-parsing.ts'

const months = 'January February March April May June July August September October November December'.split(
  ' ',
)
const weekdays = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ')

/** The fields of a wall clock. */
interface Clock {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly micros: number
  readonly weekday: number
  readonly dayOfYear: number
}

type Field = keyof Clock | 'monthName' | 'halfDay' | 'hour12'

/** One element of a format: fixed text, or a field with how it is written and read. */
export type FormatElement =
  | { readonly text: string }
  | {
      readonly field: Field
      readonly write: (clock: Clock) => string
      readonly read?: { readonly pattern: string }
    }

const number = (field: keyof Clock, width: number, digits: string): FormatElement => ({
  field,
  write: (clock) => String(clock[field]).padStart(width, '0'),
  read: { pattern: `(${digits})` },
})

const elements = {
  year: number('year', 4, '\\d{4}'),
  month: number('month', 2, '\\d{1,2}'),
  monthShort: number('month', 1, '\\d{1,2}'),
  day: number('day', 2, '\\d{1,2}'),
  dayShort: number('day', 1, '\\d{1,2}'),
  hour: number('hour', 2, '\\d{1,2}'),
  hourShort: number('hour', 1, '\\d{1,2}'),
  minute: number('minute', 2, '\\d{1,2}'),
  minuteShort: number('minute', 1, '\\d{1,2}'),
  second: number('second', 2, '\\d{1,2}'),
  secondShort: number('second', 1, '\\d{1,2}'),
  dayOfYear: number('dayOfYear', 3, '\\d{3}'),
  hour12: hour12(2),
  hour12Short: hour12(1),
  twoDigitYear: { field: 'year', write: (clock) => String(clock.year % 100).padStart(2, '0') },
  monthName: monthName((name) => name),
  monthAbbreviation: monthName((name) => name.slice(0, 3)),
  weekday: { field: 'weekday', write: (clock) => weekdays[clock.weekday - 1]! },
  weekdayAbbreviation: { field: 'weekday', write: (clock) => weekdays[clock.weekday - 1]!.slice(0, 3) },
  halfDay: {
    field: 'halfDay',
    write: (clock) => (clock.hour < 12 ? 'AM' : 'PM'),
    read: { pattern: '([AaPp][Mm])' },
  },
} satisfies Record<string, FormatElement>

function hour12(width: number): FormatElement {
  return {
    field: 'hour12',
    write: (clock) => String(clock.hour % 12 || 12).padStart(width, '0'),
    read: { pattern: '(\\d{1,2})' },
  }
}

function monthName(form: (name: string) => string): FormatElement {
  return {
    field: 'monthName',
    write: (clock) => form(months[clock.month - 1]!),
    read: { pattern: `(${months.map(form).join('|')})` },
  }
}

function fraction(digits: number): FormatElement {
  return {
    field: 'micros',
    write: (clock) => String(clock.micros).padStart(6, '0').padEnd(digits, '0').slice(0, digits),
    read: { pattern: `(\\d{${digits}})` },
  }
}

const mysqlLetters: Readonly<Record<string, FormatElement[]>> = {
  Y: [elements.year],
  y: [elements.twoDigitYear],
  m: [elements.month],
  c: [elements.monthShort],
  M: [elements.monthName],
  b: [elements.monthAbbreviation],
  d: [elements.day],
  e: [elements.dayShort],
  H: [elements.hour],
  k: [elements.hourShort],
  h: [elements.hour12],
  I: [elements.hour12],
  l: [elements.hour12Short],
  i: [elements.minute],
  s: [elements.second],
  S: [elements.second],
  f: [fraction(6)],
  p: [elements.halfDay],
  W: [elements.weekday],
  a: [elements.weekdayAbbreviation],
  j: [elements.dayOfYear],
  T: [elements.hour, { text: ':' }, elements.minute, { text: ':' }, elements.second],
  '%': [{ text: '%' }],
}

/** The elements of a format of date_format and date_parse; undefined where a letter has no rule. */
export function mysqlFormat(format: string): readonly FormatElement[] | undefined {
  const result: FormatElement[] = []
  for (const [, letter, text] of format.matchAll(/%(.?)|([^%]+)/gs)) {
    if (text !== undefined) {
      result.push({ text })
      continue
    }
    const found = Object.hasOwn(mysqlLetters, letter!) ? mysqlLetters[letter!] : undefined
    if (found === undefined) return undefined
    result.push(...found)
  }
  return result
}

const jodaRuns: Readonly<Record<string, FormatElement>> = {
  yyyy: elements.year,
  M: elements.monthShort,
  MM: elements.month,
  MMM: elements.monthAbbreviation,
  MMMM: elements.monthName,
  d: elements.dayShort,
  dd: elements.day,
  H: elements.hourShort,
  HH: elements.hour,
  h: elements.hour12Short,
  hh: elements.hour12,
  m: elements.minuteShort,
  mm: elements.minute,
  s: elements.secondShort,
  ss: elements.second,
  a: elements.halfDay,
  E: elements.weekdayAbbreviation,
  EEE: elements.weekdayAbbreviation,
  EEEE: elements.weekday,
}

/** The elements of a Joda pattern of format_datetime and parse_datetime; undefined where a part has no rule. */
export function jodaFormat(format: string): readonly FormatElement[] | undefined {
  const result: FormatElement[] = []
  for (const [whole, quoted, run] of format.matchAll(/'((?:[^']|'')*)'|(([A-Za-z])\3*)|[^A-Za-z']+|'/gs)) {
    if (quoted !== undefined) result.push({ text: quoted === '' ? "'" : quoted.replaceAll("''", "'") })
    else if (whole === "'") return undefined
    else if (run === undefined) result.push({ text: whole })
    else if (/^S{1,6}$/.test(run)) result.push(fraction(run.length))
    else if (Object.hasOwn(jodaRuns, run)) result.push(jodaRuns[run]!)
    else return undefined
  }
  return result
}

const microsPerDay = 86_400_000_000n

/** A wall clock, in microseconds since 1970, as text. */
export function formatTime(micros: bigint, format: readonly FormatElement[]): string {
  const clock = clockOf(micros)
  if (clock.year < 1 || clock.year > 9999)
    throw new FunctionFailure(
      'NOT_SUPPORTED',
      'The embedded Athena does not format years before 1 or after 9999',
    )
  return format.map((element) => ('text' in element ? element.text : element.write(clock))).join('')
}

function clockOf(micros: bigint): Clock {
  const microsOfDay = Number(((micros % microsPerDay) + microsPerDay) % microsPerDay)
  const days = Number((micros - BigInt(microsOfDay)) / microsPerDay)
  const date = new Date(days * 86_400_000)
  const year = date.getUTCFullYear()
  const seconds = Math.floor(microsOfDay / 1_000_000)
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
    micros: microsOfDay % 1_000_000,
    weekday: date.getUTCDay() || 7,
    dayOfYear: days - daysOf(year, 1, 1)! + 1,
  }
}

/** A reader of text in a format, to microseconds; undefined where an element can only be written. */
export function timeReader(
  format: readonly FormatElement[],
  written: string,
): ((text: string) => bigint) | undefined {
  const fields: Field[] = []
  let pattern = ''
  for (const element of format) {
    if ('text' in element) {
      pattern += element.text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
      continue
    }
    // A field that comes twice, or digits that run into each other, have rules of their own in Joda.
    if (element.read === undefined || fields.includes(element.field) || /\\d\{[^}]*\}\)$/.test(pattern))
      return undefined
    fields.push(element.field)
    pattern += element.read.pattern
  }
  if (fields.includes('hour12') !== fields.includes('halfDay') || fields.includes('dayOfYear'))
    return undefined
  const expression = new RegExp(`^${pattern}$`, 'i')
  return (text) => {
    const match = expression.exec(text)
    const micros =
      match === null ? undefined : microsOf(new Map(fields.map((field, i) => [field, match[i + 1]!])))
    if (micros === undefined) {
      // Joda reads more than the strict form: signs, longer years.
      if (/[A-Za-z\d]/.test(text) && /\d{5}|[+-]\d/.test(text) && match === null && !/^\d{4}-/.test(text)) {
        throw new FunctionFailure(
          'NOT_SUPPORTED',
          `The embedded Athena does not read '${text}' by '${written}'`,
        )
      }
      throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', `Invalid format: "${text}"`)
    }
    return micros
  }
}

function microsOf(values: ReadonlyMap<Field, string>): bigint | undefined {
  const value = (field: Field, otherwise: number): number =>
    values.has(field) ? Number(values.get(field)) : otherwise
  const name = values.get('monthName')?.slice(0, 3).toLowerCase()
  const month =
    name === undefined
      ? value('month', 1)
      : months.findIndex((full) => full.slice(0, 3).toLowerCase() === name) + 1
  const days = daysOf(value('year', 1970), month, value('day', 1))
  let hour = value('hour', 0)
  if (values.has('hour12')) {
    const half = value('hour12', 12)
    if (half < 1 || half > 12) return undefined
    hour = (half % 12) + (values.get('halfDay')!.toLowerCase() === 'pm' ? 12 : 0)
  }
  const minute = value('minute', 0)
  const second = value('second', 0)
  if (days === undefined || hour > 23 || minute > 59 || second > 59) return undefined
  const fraction = Number((values.get('micros') ?? '').padEnd(6, '0').slice(0, 6))
  return BigInt(days) * microsPerDay + BigInt((hour * 3600 + minute * 60 + second) * 1_000_000 + fraction)
}
