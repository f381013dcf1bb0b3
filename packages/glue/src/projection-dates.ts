/** The units Athena counts dates in. An end of a range is not shifted by MILLISECONDS. */
export type DateUnit =
  | 'YEARS'
  | 'MONTHS'
  | 'WEEKS'
  | 'DAYS'
  | 'HOURS'
  | 'MINUTES'
  | 'SECONDS'
  | 'MILLISECONDS'

/** About how long each is; the shortest last. */
const unitMillis: Readonly<Record<DateUnit, number>> = {
  YEARS: 365.2425 * 86_400_000,
  MONTHS: 30.436_875 * 86_400_000,
  WEEKS: 7 * 86_400_000,
  DAYS: 86_400_000,
  HOURS: 3_600_000,
  MINUTES: 60_000,
  SECONDS: 1000,
  MILLISECONDS: 1,
}

/** Whether the first unit is no finer than the second. */
export const isAsCoarse = (unit: DateUnit, than: DateUnit): boolean => unitMillis[unit] >= unitMillis[than]

/** A date moved by units of the calendar; the 31st becomes the last day of a shorter month, as in Java. */
export const addUnits = (millis: number, amount: number, unit: DateUnit): number => {
  if (unit !== 'YEARS' && unit !== 'MONTHS') return millis + amount * unitMillis[unit]
  const date = new Date(millis)
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth() + amount * (unit === 'YEARS' ? 12 : 1)
  const [year, month] = [Math.floor(months / 12), months - Math.floor(months / 12) * 12]
  const last = new Date(0)
  last.setUTCFullYear(year, month + 1, 0)
  date.setUTCFullYear(year, month, Math.min(date.getUTCDate(), last.getUTCDate()))
  return date.getTime()
}

/** The fields of a date a format may have, by Java's letters; the finest last. */
const fields = {
  yyyy: { unit: 'YEARS', get: (date: Date) => date.getUTCFullYear() },
  MM: { unit: 'MONTHS', get: (date: Date) => date.getUTCMonth() + 1 },
  dd: { unit: 'DAYS', get: (date: Date) => date.getUTCDate() },
  HH: { unit: 'HOURS', get: (date: Date) => date.getUTCHours() },
  mm: { unit: 'MINUTES', get: (date: Date) => date.getUTCMinutes() },
  ss: { unit: 'SECONDS', get: (date: Date) => date.getUTCSeconds() },
  SSS: { unit: 'MILLISECONDS', get: (date: Date) => date.getUTCMilliseconds() },
} as const
type FieldName = keyof typeof fields

/** A format of Java's, such as `yyyy/MM/dd`, that writes each date in one way. */
export interface DateFormat {
  readonly pattern: string
  /** The unit of its finest field. */
  readonly unit: DateUnit
  format(millis: number): string
  /** UTC milliseconds; undefined for text that is no date of the format. */
  parse(text: string): number | undefined
}

/**
 * Reads a format; undefined for one with fields of other widths, with a field but not those above it, or with letters that
 * are not in quotes.
 */
export const dateFormat = (pattern: string): DateFormat | undefined => {
  const tokens = pattern.match(/'[^']*'|[A-Za-z]+|[^A-Za-z']+/g) ?? []
  const isField = (token: string): token is FieldName => Object.hasOwn(fields, token)
  const isLiteral = (token: string) => token.length > 2 && token.startsWith("'")
  if (tokens.join('') !== pattern) return undefined
  if (!tokens.every((token) => isField(token) || isLiteral(token) || /^[^A-Za-z']/.test(token)))
    return undefined
  const named = tokens.filter(isField)
  const order = Object.keys(fields) as FieldName[]
  const finest = order[named.length - 1]
  if (finest === undefined || order.slice(0, named.length).some((name) => !named.includes(name)))
    return undefined
  const literal = (token: string) => (isLiteral(token) ? token.slice(1, -1) : token)
  const matcher = new RegExp(
    `^${tokens.map((token) => (isField(token) ? `(\\d{${token.length}})` : literal(token).replace(/[^\w\s]/g, '\\$&'))).join('')}$`,
  )
  const format = (millis: number): string => {
    const date = new Date(millis)
    return tokens
      .map((token) =>
        isField(token) ? String(fields[token].get(date)).padStart(token.length, '0') : literal(token),
      )
      .join('')
  }
  return {
    pattern,
    unit: fields[finest].unit,
    format,
    parse(text) {
      const match = matcher.exec(text)
      if (match === null) return undefined
      const value = (name: FieldName, otherwise: number) => {
        const at = named.indexOf(name)
        return at < 0 ? otherwise : Number(match[at + 1])
      }
      const date = new Date(0)
      date.setUTCFullYear(value('yyyy', 1970), value('MM', 1) - 1, value('dd', 1))
      date.setUTCHours(value('HH', 0), value('mm', 0), value('ss', 0), value('SSS', 0))
      return format(date.getTime()) === text ? date.getTime() : undefined
    },
  }
}

/** One end of a range: a date, or a distance from the time of the query. */
export type RangeEnd =
  | { readonly kind: 'date'; readonly millis: number }
  | { readonly kind: 'now'; readonly amount: number; readonly unit: DateUnit }

const relative = /^NOW(?:([+-]\d+)(YEARS|MONTHS|WEEKS|DAYS|HOURS|MINUTES|SECONDS))?$/

/** Reads a date of the format, or `NOW` with a shift such as `NOW-30DAYS`; undefined for anything else. */
export const rangeEnd = (text: string, format: DateFormat): RangeEnd | undefined => {
  const match = relative.exec(text)
  if (match !== null) {
    return { kind: 'now', amount: Number(match[1] ?? 0), unit: (match[2] as DateUnit | undefined) ?? 'DAYS' }
  }
  const millis = format.parse(text)
  return millis === undefined ? undefined : { kind: 'date', millis }
}

/** When the end is, for a query at `nowMillis`. */
export const endMillis = (end: RangeEnd, nowMillis: number): number =>
  end.kind === 'date' ? end.millis : addUnits(nowMillis, end.amount, end.unit)

/** The dates of a projection. */
export interface ProjectedDates {
  readonly format: DateFormat
  readonly from: RangeEnd
  readonly to: RangeEnd
  readonly every: number
  readonly unit: DateUnit
}

/** Whether a query at `nowMillis` looks for the partition of that text. Steps are counted from the start of the range. */
export const projectsDate = (dates: ProjectedDates, text: string, nowMillis: number): boolean => {
  const { format, every, unit } = dates
  const at = format.parse(text)
  if (at === undefined) return false
  const [from, to] = [endMillis(dates.from, nowMillis), endMillis(dates.to, nowMillis)]
  const about = Math.floor((at - from) / (unitMillis[unit] * every))
  for (let step = Math.max(0, about - 1); step <= about + 2; step++) {
    const millis = addUnits(from, step * every, unit)
    if (millis <= to && format.format(millis) === text) return true
  }
  return false
}
