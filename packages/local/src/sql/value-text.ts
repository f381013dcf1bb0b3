import { decimalText, javaNumberText } from './number-text.ts'
import { notSupported } from './query-failure.ts'
import {
  dateText,
  dayIntervalText,
  monthIntervalText,
  timestampText,
  timeText,
  zonedTimestampText,
} from './time-text.ts'
import { type TrinoType, typeText } from './trino-type.ts'

/**
 * A value as read from DuckDB, without its wrapper: decimals unscaled, times in microseconds, dates in days; a row as
 * its fields in order, a map as its entries, each a key and a value.
 */
export type PlainValue = null | boolean | number | bigint | string | Uint8Array | readonly PlainValue[]

/** The wrappers of `@duckdb/node-api`, told apart by their fields. */
interface WrappedValue {
  readonly value?: bigint
  readonly micros?: bigint
  readonly days?: number
  readonly bytes?: Uint8Array
  readonly items?: readonly unknown[]
  /** Of a map, or by name of a struct. */
  readonly entries?:
    | readonly { readonly key: unknown; readonly value: unknown }[]
    | Readonly<Record<string, unknown>>
}

/** Takes a value out of DuckDB's wrapper. */
export function plainValue(value: unknown): PlainValue {
  if (value === null || value === undefined) return null
  if (typeof value !== 'object') return value as PlainValue
  const wrapped = value as WrappedValue
  const inner = wrapped.value ?? wrapped.micros ?? wrapped.days ?? wrapped.bytes
  if (inner !== undefined) return inner
  if (wrapped.items !== undefined) return wrapped.items.map(plainValue)
  const { entries } = wrapped
  if (isMap(entries)) return entries.map((entry) => [plainValue(entry.key), plainValue(entry.value)])
  if (entries !== undefined) return Object.values(entries).map(plainValue)
  throw new Error(`unknown value of DuckDB: ${String(value)}`)
}

function isMap(
  entries: WrappedValue['entries'],
): entries is readonly { readonly key: unknown; readonly value: unknown }[] {
  return Array.isArray(entries)
}

/** The text Athena's GetQueryResults gives for a value of this type; null for NULL. */
export function valueText(value: PlainValue, type: TrinoType): string | null {
  if (value === null) return null
  switch (type.kind) {
    case 'real':
    case 'double':
      return javaNumberText(value as number, type.kind)
    case 'decimal':
      return decimalText(value as bigint, type.scale)
    case 'date':
      return dateText(value as number)
    case 'timestamp':
      return timestampText(value as bigint, type.precision)
    case 'timestamp with time zone':
      return zonedTimestampText(value as bigint, type.precision, type.zone)
    case 'time':
      return timeText(value as bigint, type.precision)
    case 'interval day to second':
      return dayIntervalText(value as bigint)
    case 'interval year to month':
      return monthIntervalText(value as number)
    case 'varbinary':
      return [...(value as Uint8Array)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    case 'array':
      return `[${(value as readonly PlainValue[]).map((item) => innerText(item, type.element)).join(', ')}]`
    case 'map':
      return `{${(value as readonly (readonly PlainValue[])[])
        .map(([key, item]) => `${innerText(key!, type.key)}=${innerText(item!, type.value)}`)
        .join(', ')}}`
    case 'row':
      return `{${type.fields
        .map(
          (field, index) =>
            `${field.name ?? `field${index}`}=${innerText((value as readonly PlainValue[])[index]!, field.type)}`,
        )
        .join(', ')}}`
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'varchar':
    case 'json':
      return String(value)
    default:
      throw new Error(`no text for a value of type ${typeText(type)}`)
  }
}

/** Without quotes or escapes, as Athena writes it: a string `null` and a NULL look alike. */
function innerText(value: PlainValue, type: TrinoType): string {
  if (type.kind === 'varbinary') throw notSupported('varbinary within arrays, maps and rows of an answer')
  return valueText(value, type) ?? 'null'
}
