import { FunctionFailure } from './decimal-arithmetic.ts'
import { isFloating, type TrinoType, typeText } from './trino-type.ts'
import type { PlainValue } from './value-text.ts'

type PlainList = readonly PlainValue[]
type PlainMap = readonly (readonly [PlainValue, PlainValue])[]

/** A text that two values have in common where IS NOT DISTINCT FROM holds of them: NULL and NaN are each one value. */
export function keyText(value: PlainValue, type: TrinoType): string {
  if (value === null) return 'n'
  switch (type.kind) {
    case 'real':
    case 'double':
      // -0 is 0.
      return String((value as number) + 0)
    case 'varbinary':
      return Buffer.from(value as Uint8Array).toString('hex')
    case 'array':
      return joined((value as PlainList).map((item) => keyText(item, type.element)))
    case 'row':
      return joined(type.fields.map((field, i) => keyText((value as PlainList)[i]!, field.type)))
    case 'map':
      return joined(
        (value as PlainMap)
          .map(([key, item]) => joined([keyText(key, type.key), keyText(item, type.value)]))
          .sort(),
      )
    default:
      return `v${String(value)}`
  }
}

/** Parts with their lengths, so that none reads like two. */
function joined(parts: readonly string[]): string {
  return parts.map((part) => `${part.length}:${part}`).join('')
}

/** SQL's =, null where it is unknown: NaN equals nothing, a NULL within leaves it open unless something differs. */
export function equalValues(a: PlainValue, b: PlainValue, type: TrinoType): boolean | null {
  if (a === null || b === null) return null
  switch (type.kind) {
    case 'real':
    case 'double':
      return a === b
    case 'array': {
      const [left, right] = [a as PlainList, b as PlainList]
      if (left.length !== right.length) return false
      return every(left.map((item, i) => equalValues(item, right[i]!, type.element)))
    }
    case 'row':
      return every(
        type.fields.map((field, i) => equalValues((a as PlainList)[i]!, (b as PlainList)[i]!, field.type)),
      )
    case 'map': {
      const [left, right] = [a as PlainMap, b as PlainMap]
      if (left.length !== right.length) return false
      const values = new Map(right.map(([key, value]) => [keyText(key, type.key), value]))
      return every(
        left.map(([key, value]) => {
          const text = keyText(key, type.key)
          return values.has(text) && equalValues(value, values.get(text)!, type.value)
        }),
      )
    }
    default:
      return keyText(a, type) === keyText(b, type)
  }
}

/** AND of three-valued operands. */
function every(outcomes: readonly (boolean | null)[]): boolean | null {
  if (outcomes.includes(false)) return false
  return outcomes.includes(null) ? null : true
}

/** Kinds that `compareValues` orders. */
const orderedKinds = [
  'boolean',
  'tinyint',
  'smallint',
  'integer',
  'bigint',
  'decimal',
  'real',
  'double',
  'varchar',
  'date',
  'time',
  'timestamp',
  'timestamp with time zone',
]

export function isOrdered(type: TrinoType): boolean {
  return orderedKinds.includes(type.kind)
}

/** Negative, 0 or positive by the order of ORDER BY; of values that are not NULL. NaN is the largest. */
export function compareValues(a: PlainValue, b: PlainValue, type: TrinoType): number {
  if (type.kind === 'varchar') return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string))
  if (isFloating(type) && (Number.isNaN(a) || Number.isNaN(b)))
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a === b ? 0 : (a as number | bigint | boolean) < (b as number | bigint | boolean) ? -1 : 1
}

/** Refuses values whose outcome in Trino is in doubt where a NaN is met. */
export function refuseNaN(values: readonly PlainValue[], type: TrinoType, name: string): void {
  if (isFloating(type) && values.some((value) => Number.isNaN(value)))
    throw new FunctionFailure(
      'NOT_SUPPORTED',
      `The embedded Athena does not support NaN in ${name} of ${typeText(type)}`,
    )
}

/** Refuses to say which of 0 and -0 is greater. */
export function refuseBothZeros(values: readonly PlainValue[], name: string): void {
  if (values.some((value) => Object.is(value, 0)) && values.some((value) => Object.is(value, -0)))
    throw new FunctionFailure('NOT_SUPPORTED', `The embedded Athena does not support ${name} of 0 and -0`)
}
