/** A moment's fields in UTC; what a format does not name keeps its lowest value. */
export interface DateFields {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

export type DateUnit =
  | 'YEARS'
  | 'MONTHS'
  | 'WEEKS'
  | 'DAYS'
  | 'HOURS'
  | 'MINUTES'
  | 'SECONDS'
  | 'MILLISECONDS'

interface Piece {
  readonly field?: keyof DateFields
  /** Digits, padded with zeros; 1 for as many as needed. */
  readonly width: number
  readonly literal: string
}

const fieldOfLetter: Readonly<Record<string, keyof DateFields>> = {
  y: 'year',
  u: 'year',
  M: 'month',
  d: 'day',
  H: 'hour',
  m: 'minute',
  s: 'second',
  S: 'millisecond',
}
const widestOf: Readonly<Record<string, readonly number[]>> = {
  y: [4],
  u: [4],
  M: [1, 2],
  d: [1, 2],
  H: [1, 2],
  m: [1, 2],
  s: [1, 2],
  S: [3],
}
const precisionOf: readonly (readonly [keyof DateFields, DateUnit])[] = [
  ['millisecond', 'MILLISECONDS'],
  ['second', 'SECONDS'],
  ['minute', 'MINUTES'],
  ['hour', 'HOURS'],
  ['day', 'DAYS'],
  ['month', 'MONTHS'],
  ['year', 'YEARS'],
]

/** The numeric patterns of Java's DateTimeFormatter: yyyy uuuu MM M dd d HH H mm m ss s SSS, quotes and literals. */
export class JavaDateFormat {
  readonly #pieces: readonly Piece[]
  /** The finest unit the format tells. */
  readonly precision: DateUnit
  /** It tells all units from the year to the finest: texts of later moments never come again. */
  readonly isWhole: boolean

  /** @throws SyntaxError for a pattern letter that is not one of these */
  constructor(pattern: string) {
    this.#pieces = piecesOf(pattern)
    const isTold = ([field]: (typeof precisionOf)[number]): boolean =>
      this.#pieces.some((piece) => piece.field === field)
    const finest = precisionOf.findIndex(isTold)
    if (finest === -1) throw new SyntaxError(`the format '${pattern}' has no date in it`)
    this.precision = precisionOf[finest]![1]
    this.isWhole = precisionOf.slice(finest).every(isTold)
  }

  format(millis: number): string {
    const fields = fieldsOf(millis)
    return this.#pieces
      .map(({ field, width, literal }) =>
        field === undefined ? literal : String(fields[field]).padStart(width, '0'),
      )
      .join('')
  }

  /** Milliseconds since the epoch; undefined when the text is not in this format. */
  parse(text: string): number | undefined {
    const fields: { -readonly [Field in keyof DateFields]: number } = {
      year: 1970,
      month: 1,
      day: 1,
      hour: 0,
      minute: 0,
      second: 0,
      millisecond: 0,
    }
    const source = this.#pieces.map(({ field, width, literal }) =>
      field === undefined
        ? literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
        : width === 1
          ? '(\\d{1,2})'
          : `(\\d{${width}})`,
    )
    const match = new RegExp(`^${source.join('')}$`).exec(text)
    if (match === null) return undefined
    this.#pieces
      .filter((piece) => piece.field !== undefined)
      .forEach((piece, at) => {
        fields[piece.field as keyof DateFields] = Number(match[at + 1])
      })
    const { year, month, day, hour, minute, second, millisecond } = fields
    const date = new Date(0)
    date.setUTCFullYear(year, month - 1, day)
    date.setUTCHours(hour, minute, second, millisecond)
    // 2024-02-31 would roll over to March: it is not a date.
    return this.format(date.getTime()) === text ? date.getTime() : undefined
  }
}

/** Adds calendar units in UTC; a month's last days stay within the month. */
export function addDateUnits(millis: number, amount: number, unit: DateUnit): number {
  if (unit !== 'YEARS' && unit !== 'MONTHS') return millis + amount * millisOf[unit]
  const { year, month, day } = fieldsOf(millis)
  const months = year * 12 + (month - 1) + amount * (unit === 'YEARS' ? 12 : 1)
  const lastDay = new Date(Date.UTC(Math.floor(months / 12), (months % 12) + 1, 0)).getUTCDate()
  const date = new Date(millis)
  date.setUTCFullYear(Math.floor(months / 12), months % 12, Math.min(day, lastDay))
  return date.getTime()
}

/** Milliseconds of a unit, of the shortest one where they differ. */
export const shortestMillisOf = (unit: DateUnit): number =>
  unit === 'YEARS' ? 365 * millisOf.DAYS : unit === 'MONTHS' ? 28 * millisOf.DAYS : millisOf[unit]

const millisOf = {
  WEEKS: 7 * 86_400_000,
  DAYS: 86_400_000,
  HOURS: 3_600_000,
  MINUTES: 60_000,
  SECONDS: 1000,
  MILLISECONDS: 1,
} as const

function fieldsOf(millis: number): DateFields {
  const date = new Date(millis)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  }
}

function piecesOf(pattern: string): readonly Piece[] {
  const pieces: Piece[] = []
  for (const [text] of pattern.matchAll(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']/g)) {
    const letter = text.charAt(0)
    if (letter === "'") {
      pieces.push({ width: 0, literal: text === "''" ? "'" : text.slice(1, -1).replaceAll("''", "'") })
      continue
    }
    if (!/[A-Za-z]/.test(letter)) {
      pieces.push({ width: 0, literal: text })
      continue
    }
    const field = fieldOfLetter[letter]
    if (field === undefined || widestOf[letter]?.includes(text.length) !== true) {
      throw new SyntaxError(`the pattern '${text}' of the format '${pattern}' is not supported`)
    }
    pieces.push({ field, width: text.length, literal: '' })
  }
  if ((pattern.match(/'/g)?.length ?? 0) % 2 === 1)
    throw new SyntaxError(`a quote in '${pattern}' does not end`)
  return pieces
}
