import { FunctionFailure, parseDecimal, powerOfTen } from './decimal-arithmetic.ts'
import { type JsonValue, jsonDouble, jsonString, jsonText, parseJson } from './json-text.ts'
import { castFromText } from './native-casts.ts'
import type { NativeFunction } from './native-function.ts'
import { decimalText, javaNumberText, trinoNumberText } from './number-text.ts'
import { dateText, timestampText } from './time-text.ts'
import { duckDbType, isInteger, type TrinoType, typeText } from './trino-type.ts'
import { keyText } from './value-comparison.ts'
import type { PlainValue } from './value-text.ts'

const scalarKinds = [
  'boolean',
  'tinyint',
  'smallint',
  'integer',
  'bigint',
  'real',
  'double',
  'decimal',
  'varchar',
]

function refuse(what: string): FunctionFailure {
  return new FunctionFailure('NOT_SUPPORTED', `The embedded Athena does not support ${what}`)
}

function isCastableToJson(type: TrinoType): boolean {
  switch (type.kind) {
    case 'array':
      return isCastableToJson(type.element)
    case 'map':
      return scalarKinds.includes(type.key.kind) && isCastableToJson(type.value)
    case 'row':
      return type.fields.every((field) => isCastableToJson(field.type))
    default:
      return [...scalarKinds, 'unknown', 'json', 'date', 'timestamp'].includes(type.kind)
  }
}

/** CAST to JSON of a value that is not NULL; undefined where there is no rule. */
export function castToJson(from: TrinoType): NativeFunction | undefined {
  if (!isCastableToJson(from)) return undefined
  return {
    name: `cast_json:${typeText(from)}`,
    parameters: [duckDbType(from)],
    returns: 'VARCHAR',
    evaluate: (value: PlainValue) => written(value, from),
  }
}

function written(value: PlainValue, type: TrinoType): string {
  if (value === null) return 'null'
  switch (type.kind) {
    case 'json':
    case 'boolean':
      return String(value)
    case 'real':
    case 'double':
      return jsonDouble(value as number, type.kind)
    case 'decimal':
      return bigDecimalText(value as bigint, type.scale)
    case 'varchar':
      return jsonString(value as string)
    case 'date':
      return jsonString(dateText(value as number))
    case 'timestamp':
      return jsonString(timestampText(value as bigint, type.precision))
    case 'array':
      return `[${(value as readonly PlainValue[]).map((item) => written(item, type.element)).join(',')}]`
    case 'map': {
      const entries = (value as readonly (readonly PlainValue[])[]).map(
        ([key, item]) => [keyName(key!, type.key), written(item!, type.value)] as const,
      )
      entries.sort(([a], [b]) => (a < b ? -1 : 1))
      return `{${entries.map(([name, item]) => `${jsonString(name)}:${item}`).join(',')}}`
    }
    case 'row':
      return `{${type.fields
        .map(({ name, type: field }, i) => {
          return `${jsonString(name ?? '')}:${written((value as readonly PlainValue[])[i]!, field)}`
        })
        .join(',')}}`
    default:
      return String(value)
  }
}

function keyName(key: PlainValue, type: TrinoType): string {
  if (type.kind === 'decimal') return decimalText(key as bigint, type.scale)
  return type.kind === 'real' || type.kind === 'double'
    ? javaNumberText(key as number, type.kind)
    : String(key)
}

/** Java's BigDecimal.toString: an exponent where there are many zeros after the point. */
export function bigDecimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString()
  const exponent = digits.length - 1 - scale
  if (exponent >= -6) return decimalText(unscaled, scale)
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`
  return `${unscaled < 0n ? '-' : ''}${mantissa}E${exponent}`
}

function isCastableFromJson(type: TrinoType): boolean {
  switch (type.kind) {
    case 'array':
      return isCastableFromJson(type.element)
    case 'map':
      return type.key.kind !== 'json' && isCastableFromJson(type.key) && isCastableFromJson(type.value)
    case 'row':
      return type.fields.every((field) => isCastableFromJson(field.type))
    case 'varchar':
      return type.length === undefined
    default:
      return type.kind === 'json' || scalarKinds.includes(type.kind)
  }
}

/** CAST from JSON; undefined where there is no rule. */
export function castFromJson(to: TrinoType): NativeFunction | undefined {
  if (!isCastableFromJson(to)) return undefined
  return {
    name: `cast_from_json:${typeText(to)}`,
    parameters: ['VARCHAR'],
    returns: duckDbType(to),
    evaluate: (text: string) => {
      const value = parseJson(text)
      if (value === undefined) throw refuse(`casts of the JSON ${text}`)
      return read(value, to, text)
    },
  }
}

function cannotCast(whole: string, type: TrinoType, why = ''): FunctionFailure {
  const target = typeText(type)
  return new FunctionFailure('INVALID_CAST_ARGUMENT', `Cannot cast to ${target}.${why}\n${whole}`)
}

function read(value: JsonValue, type: TrinoType, whole: string): PlainValue {
  if (type.kind === 'json') return jsonText(value)
  if (value.kind === 'null') return null
  switch (type.kind) {
    case 'array':
      if (value.kind !== 'array')
        throw cannotCast(whole, type, ` Expected a json array, but got ${value.kind}`)
      return value.items.map((item) => read(item, type.element, whole))
    case 'map': {
      if (value.kind !== 'object')
        throw cannotCast(whole, type, ` Expected a json object, but got ${value.kind}`)
      const keys = new Set<string>()
      return value.members.map(([name, member]) => {
        const key = readScalar({ kind: 'string', text: name }, type.key, whole)
        const text = keyText(key, type.key)
        if (keys.has(text)) throw cannotCast(whole, type, ' Duplicate keys are not allowed')
        keys.add(text)
        return [key, read(member, type.value, whole)]
      })
    }
    case 'row':
      return readRow(value, type, whole)
    default:
      return readScalar(value, type, whole)
  }
}

function readRow(value: JsonValue, type: TrinoType & { kind: 'row' }, whole: string): PlainValue {
  const { fields } = type
  if (value.kind === 'array') {
    if (value.items.length !== fields.length)
      throw cannotCast(whole, type, ` Expected ${fields.length} fields, but got ${value.items.length}`)
    return fields.map((field, i) => read(value.items[i]!, field.type, whole))
  }
  if (value.kind !== 'object') throw cannotCast(whole, type, ' Expected a json array or object')
  if (fields.some(({ name }) => name === undefined))
    throw cannotCast(
      whole,
      type,
      ' Cannot cast a JSON object to anonymous row type. Input must be a JSON array.',
    )
  const members = new Map<string, JsonValue>()
  for (const [name, member] of value.members) {
    const lower = name.toLowerCase()
    if (members.has(lower) && fields.some((field) => field.name === lower))
      throw cannotCast(whole, type, ` Duplicate field: ${lower}`)
    members.set(lower, member)
  }
  return fields.map((field) => {
    const member = members.get(field.name!)
    return member === undefined ? null : read(member, field.type, whole)
  })
}

/** A scalar as Trino reads it from a token: numbers and strings alike, true and false as 1 and 0. */
function readScalar(value: JsonValue, type: TrinoType, whole: string): PlainValue {
  if (value.kind === 'array' || value.kind === 'object' || value.kind === 'null')
    throw cannotCast(whole, type, ` Unexpected token when cast to ${typeText(type)}`)
  if (type.kind === 'decimal') return readDecimal(value, type, whole)
  if (value.kind === 'string') {
    if (type.kind === 'varchar') return value.text
    const cast = castFromText(type)!.evaluate as (text: string) => PlainValue
    return cast(value.text)
  }
  if (value.kind === 'boolean') {
    if (type.kind === 'boolean') return value.value
    if (type.kind === 'varchar') return String(value.value)
    return type.kind === 'bigint' ? BigInt(value.value) : Number(value.value)
  }
  return readNumber(value.text, type, whole)
}

function readDecimal(value: JsonValue, type: TrinoType & { kind: 'decimal' }, whole: string): bigint {
  const text = value.kind === 'boolean' ? String(Number(value.value)) : (value as { text: string }).text
  const unscaled = parseDecimal(text, type.scale)
  const limit = powerOfTen(type.precision)
  if (unscaled === undefined || unscaled >= limit || unscaled <= -limit)
    throw cannotCast(whole, type, ` Cannot cast input json to ${typeText(type).toUpperCase()}`)
  return unscaled
}

const integerBits: Readonly<Record<string, number>> = { tinyint: 8, smallint: 16, integer: 32, bigint: 64 }

function readNumber(text: string, type: TrinoType, whole: string): PlainValue {
  const isWhole = /^-?\d+$/.test(text)
  const number = Number(text)
  if (!Number.isFinite(number)) throw refuse(`the JSON number ${text}`)
  switch (type.kind) {
    case 'boolean':
      if (isWhole && BigInt.asIntN(64, BigInt(text)) !== BigInt(text)) throw cannotCast(whole, type)
      return number !== 0
    case 'varchar':
      return isWhole ? text : trinoNumberText(number, 'double')
    case 'double':
      return number
    case 'real':
      // Rounding the text to a double first could round twice.
      if (Number(text).toString().length > 9) throw refuse(`casts of the JSON number ${text} to real`)
      return Math.fround(number)
    default: {
      if (!isInteger(type)) throw new Error(`no cast of JSON to ${typeText(type)}`)
      // Half away from zero, as for a double.
      const value = isWhole ? BigInt(text) : BigInt(Math.sign(number) * Math.round(Math.abs(number)))
      if (BigInt.asIntN(integerBits[type.kind]!, value) !== value) throw cannotCast(whole, type)
      return type.kind === 'bigint' ? value : Number(value)
    }
  }
}
