import { Decimal } from '@stockpipe/core'

/**
 * Rows as NDJSON, a line each with its line end. What JSON's numbers would cut is text: `bigint` and `Decimal` in all their
 * digits, NaN and the infinities by name. A `Date` is ISO 8601 in UTC, bytes are base64, a map is an object, null is there.
 */
export async function* ndjson(rows: AsyncIterable<object> | Iterable<object>): AsyncGenerator<string, void> {
  for await (const row of rows) yield `${objectText(Object.entries(row))}\n`
}

const objectText = (entries: Iterable<readonly [unknown, unknown]>): string => {
  const members: string[] = []
  for (const [name, value] of entries) members.push(`${JSON.stringify(String(name))}:${valueText(value)}`)
  return `{${members.join(',')}}`
}

const valueText = (value: unknown): string => {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : `"${value}"`
    case 'bigint':
      return `"${value}"`
    case 'boolean':
      return String(value)
    case 'object':
      return value === null ? 'null' : objectValueText(value)
    default:
      return 'null'
  }
}

const objectValueText = (value: object): string => {
  if (Decimal.isDecimal(value)) return `"${value}"`
  if (value instanceof Date) return `"${value.toISOString()}"`
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  if (Array.isArray(value)) return `[${value.map(valueText).join(',')}]`
  return objectText(value instanceof Map ? value : Object.entries(value))
}
