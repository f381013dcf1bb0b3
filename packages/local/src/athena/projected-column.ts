import type { CatalogColumn } from '../sql/query-engine.ts'
import { addDateUnits, type DateUnit, JavaDateFormat, shortestMillisOf } from './java-date-format.ts'

/** One value of a projected column. */
export interface ProjectedValue {
  /** As the engine compares and returns it. */
  readonly value: string
  /** As it stands in the location. */
  readonly text: string
}

/** How a partition column's values come about. */
export type ProjectedColumn =
  | {
      readonly kind: 'listed'
      readonly name: string
      /** Up to millions, made one by one. */
      readonly values: () => Iterable<ProjectedValue>
    }
  /** The query itself must name the values. */
  | { readonly kind: 'injected'; readonly name: string }

/** A projection property that cannot be understood. */
export class ProjectionPropertyError extends Error {
  override readonly name = 'ProjectionPropertyError'
}

type Properties = ReadonlyMap<string, string>
const propertiesOfType: Readonly<Record<string, readonly string[]>> = {
  enum: ['type', 'values'],
  integer: ['type', 'range', 'interval', 'digits'],
  date: ['type', 'range', 'format', 'interval', 'interval.unit'],
  injected: ['type'],
}
const units: readonly DateUnit[] = [
  'YEARS',
  'MONTHS',
  'WEEKS',
  'DAYS',
  'HOURS',
  'MINUTES',
  'SECONDS',
  'MILLISECONDS',
]
const longest = 2n ** 63n

/** Values one column may project; above it the range is taken for a mistake. */
const mostValues = 5_000_000

/** Reads the properties of one column, their `projection.<column>.` taken off. @throws ProjectionPropertyError */
export function projectedColumn(
  column: CatalogColumn,
  properties: Properties,
  nowMillis: number,
): ProjectedColumn {
  const { name } = column
  const type = (properties.get('type') ?? '').toLowerCase()
  const known = propertiesOfType[type]
  if (known === undefined)
    throw bad(name, 'type', properties.get('type'), 'must be enum, integer, date or injected')
  for (const [property, value] of properties) {
    if (!known.includes(property)) throw bad(name, property, value, `is not a property of the type ${type}`)
  }
  switch (type) {
    case 'enum': {
      const values = required(name, properties, 'values')
        .split(',')
        .map((text) => ({ value: text, text }))
      return { kind: 'listed', name, values: () => values }
    }
    case 'integer':
      return { kind: 'listed', name, values: integerValues(column, properties) }
    case 'date':
      return { kind: 'listed', name, values: dateValues(column, properties, nowMillis) }
    default:
      if (column.type !== 'string' && !/^(var)?char\b/.test(column.type)) {
        throw bad(name, 'type', 'injected', `needs a column of type string, not ${column.type}`)
      }
      return { kind: 'injected', name }
  }
}

function integerValues(column: CatalogColumn, properties: Properties): () => Iterable<ProjectedValue> {
  const { name } = column
  const range = required(name, properties, 'range')
  const bounds = range
    .split(',')
    .map((bound) => (/^\s*-?\d+\s*$/.test(bound) ? BigInt(bound.trim()) : undefined))
  const [low, high] = bounds
  if (bounds.length !== 2 || low === undefined || high === undefined || low > high) {
    throw bad(name, 'range', range, "must be 'min,max' of two integers in order")
  }
  if (low < -longest || high >= longest) throw bad(name, 'range', range, 'goes beyond 64 bits')
  const interval = BigInt(positiveInteger(name, properties, 'interval') ?? 1)
  const digits = positiveInteger(name, properties, 'digits') ?? 0
  if ((high - low) / interval >= BigInt(mostValues)) throw bad(name, 'range', range, 'has too many values')
  const isText = column.type === 'string' || /^(var)?char\b/.test(column.type)
  return function* () {
    for (let at = low; at <= high; at += interval) {
      const magnitude = String(at < 0n ? -at : at).padStart(digits, '0')
      const text = at < 0n ? `-${magnitude}` : magnitude
      yield { text, value: isText ? text : String(at) }
    }
  }
}

function dateValues(
  column: CatalogColumn,
  properties: Properties,
  nowMillis: number,
): () => Iterable<ProjectedValue> {
  const { name } = column
  const pattern = required(name, properties, 'format')
  const format = dateFormat(name, pattern)
  const range = required(name, properties, 'range')
  const bounds = range.split(',').map((bound) => dateBound(bound, format, nowMillis))
  const [low, high] = bounds
  if (bounds.length !== 2 || low === undefined || high === undefined || low > high) {
    throw bad(name, 'range', range, `must be two dates in order, in the format '${pattern}' or NOW±nUNITS`)
  }
  const { amount, unit } = dateInterval(name, properties, format)
  if ((high - low) / (amount * shortestMillisOf(unit)) >= mostValues)
    throw bad(name, 'range', range, 'has too many values')
  const isDate = column.type === 'date' || column.type === 'timestamp'
  return function* () {
    let last: string | undefined
    // Without the year, or another part above the finest, texts come again; there are few of them.
    const seen = format.isWhole ? undefined : new Set<string>()
    // Steps are counted from the start, so that the 31st does not become the 28th for good.
    for (let step = 0; ; step += 1) {
      const millis = addDateUnits(low, step * amount, unit)
      if (millis > high) return
      const text = format.format(millis)
      if (text === last || seen?.has(text)) continue
      last = text
      seen?.add(text)
      yield { text, value: isDate ? isoText(millis, column.type) : text }
    }
  }
}

function isoText(millis: number, type: string): string {
  const iso = new Date(millis).toISOString()
  return type === 'date' ? iso.slice(0, 10) : iso.slice(0, -1).replace('T', ' ')
}

function dateFormat(name: string, pattern: string): JavaDateFormat {
  try {
    return new JavaDateFormat(pattern)
  } catch (cause) {
    throw bad(name, 'format', pattern, cause instanceof Error ? cause.message : String(cause))
  }
}

function dateBound(bound: string, format: JavaDateFormat, nowMillis: number): number | undefined {
  const relative = /^\s*NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?\s*)?$/i.exec(
    bound,
  )
  if (relative === null) return format.parse(bound.trim())
  const [, sign, amount, unit] = relative
  const moved =
    unit === undefined
      ? nowMillis
      : addDateUnits(nowMillis, Number(`${sign}${amount}`), `${unit.toUpperCase()}S` as DateUnit)
  // Cut to what the format tells.
  return format.parse(format.format(moved))
}

function dateInterval(name: string, properties: Properties, format: JavaDateFormat) {
  const amount = positiveInteger(name, properties, 'interval')
  const unitText = properties.get('interval.unit')
  const unit = units.find((one) => one === unitText?.toUpperCase())
  if (unitText !== undefined && unit === undefined) {
    throw bad(name, 'interval.unit', unitText, `must be one of ${units.join(', ')}`)
  }
  if (unit !== undefined) return { amount: amount ?? 1, unit }
  if (amount !== undefined) throw bad(name, 'interval.unit', undefined, 'is required with an interval')
  if (format.precision === 'DAYS' || format.precision === 'MONTHS')
    return { amount: 1, unit: format.precision }
  throw bad(name, 'interval.unit', undefined, 'is required unless the format is precise to the day or month')
}

function positiveInteger(name: string, properties: Properties, property: string): number | undefined {
  const text = properties.get(property)
  if (text === undefined) return undefined
  if (!/^\s*0*[1-9]\d{0,14}\s*$/.test(text)) throw bad(name, property, text, 'must be a positive integer')
  return Number(text)
}

function required(name: string, properties: Properties, property: string): string {
  const value = properties.get(property)
  if (value === undefined || value === '') throw bad(name, property, undefined, 'is required')
  return value
}

function bad(
  column: string,
  property: string,
  value: string | undefined,
  reason: string,
): ProjectionPropertyError {
  const shown = value === undefined ? '' : ` '${value}'`
  return new ProjectionPropertyError(`projection.${column}.${property}${shown} ${reason}`)
}
