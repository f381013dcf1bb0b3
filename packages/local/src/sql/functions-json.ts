import { coerce } from './cast-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { type AnalyzedCall, constantText, type FunctionRule, noSuchOverload } from './function-call.ts'
import { findInJson, jsonPath } from './json-path.ts'
import { type JsonValue, jsonText, parseJson, sortedJson } from './json-text.ts'
import type { NativeFunction } from './native-function.ts'
import { notSupported } from './query-failure.ts'
import {
  bigintType,
  booleanType,
  doubleType,
  duckDbType,
  jsonType,
  type TrinoType,
  typeText,
  varcharType,
} from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'
import type { PlainValue } from './value-text.ts'

/** The first argument: JSON, or text of it. */
function jsonArgument(call: AnalyzedCall, count: number): TypedExpression {
  const [json] = call.arguments
  const isJson = json?.type.kind === 'json' || json?.type.kind === 'varchar'
  if (call.arguments.length !== count || !isJson) throw noSuchOverload(call)
  return json
}

/** A function of JSON and a path. */
function atPath(
  result: (json: TrinoType) => TrinoType,
  answer: (found: JsonValue | undefined) => PlainValue,
): FunctionRule {
  return (call) => {
    const json = jsonArgument(call, 2)
    const path = constantText(call, call.arguments[1], 'a path')
    const steps = jsonPath(path)
    if (steps === undefined) throw notSupported(`the JSON path '${path}'`, call.position)
    const type = result(json.type)
    const native: NativeFunction = {
      name: `${call.name}:${path}`,
      parameters: ['VARCHAR'],
      returns: duckDbType(type),
      evaluate: (text: string) => answer(findInJson(text, steps)),
    }
    return { type, sql: call.session.native(native, [json.sql]) }
  }
}

/** The text of a scalar; null for others. */
function scalarText(value: JsonValue | undefined): string | null {
  if (value?.kind === 'string' || value?.kind === 'number') return value.text
  return value?.kind === 'boolean' ? String(value.value) : null
}

function sizeOf(value: JsonValue | undefined): bigint | null {
  if (value === undefined) return null
  return BigInt(
    value.kind === 'array' ? value.items.length : value.kind === 'object' ? value.members.length : 0,
  )
}

/** The elements of an array; undefined for what is none. */
function itemsOf(text: string): readonly JsonValue[] | undefined {
  const value = findInJson(text, [])
  return value?.kind === 'array' ? value.items : undefined
}

const jsonParse: NativeFunction = {
  name: 'json_parse',
  parameters: ['VARCHAR'],
  returns: 'VARCHAR',
  evaluate: (text: string) => {
    const value = parseJson(text)
    if (value === undefined)
      throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', `Cannot convert value to JSON: '${text}'`)
    return jsonText(sortedJson(value))
  },
}

/** json_parse, and what a literal JSON '...' means. */
export function parsedJson(call: Pick<AnalyzedCall, 'session'>, text: TypedExpression): TypedExpression {
  return { type: jsonType, sql: call.session.native(jsonParse, [text.sql]) }
}

const arrayLength: NativeFunction = {
  name: 'json_array_length',
  parameters: ['VARCHAR'],
  returns: 'BIGINT',
  evaluate: (text: string) => {
    const items = itemsOf(text)
    return items === undefined ? null : BigInt(items.length)
  },
}

/** A string comes without its quotes, as it does from Trino. */
const arrayGet: NativeFunction = {
  name: 'json_array_get',
  parameters: ['VARCHAR', 'BIGINT'],
  returns: 'VARCHAR',
  evaluate: (text: string, index: bigint) => {
    const items = itemsOf(text)
    const place = Number(index)
    const item = items?.[place < 0 ? items.length + place : place]
    if (item === undefined) return null
    return item.kind === 'array' || item.kind === 'object' ? jsonText(item) : scalarText(item)
  },
}

const arrayContains: FunctionRule = (call) => {
  const json = jsonArgument(call, 2)
  const sought = call.arguments[1]!
  const type = [booleanType, bigintType, varcharType, doubleType].find(
    (candidate) => sought.type.kind !== 'unknown' && coerce(call.session, sought, candidate) !== undefined,
  )
  if (type === undefined) throw noSuchOverload(call)
  const matches = (item: JsonValue, value: PlainValue): boolean => {
    if (item.kind === 'boolean') return item.value === value
    if (item.kind === 'string') return type.kind === 'varchar' && item.text === value
    if (item.kind !== 'number') return false
    const isWhole = /^-?\d+$/.test(item.text)
    if (type.kind === 'bigint') return isWhole && BigInt(item.text) === value
    return type.kind === 'double' && !isWhole && Number(item.text) === value
  }
  const native: NativeFunction = {
    name: `json_array_contains_${typeText(type)}`,
    parameters: ['VARCHAR', duckDbType(type)],
    returns: 'BOOLEAN',
    evaluate: (text: string, value: PlainValue) => {
      const items = itemsOf(text)
      return items === undefined ? null : items.some((item) => matches(item, value))
    },
  }
  return {
    type: booleanType,
    sql: call.session.native(native, [json.sql, coerce(call.session, sought, type)!.sql]),
  }
}

export const jsonFunctions: Readonly<Record<string, FunctionRule>> = {
  json_extract: atPath(
    () => jsonType,
    (found) => (found === undefined ? null : jsonText(found)),
  ),
  json_extract_scalar: atPath((json) => (json.kind === 'json' ? varcharType : json), scalarText),
  json_size: atPath(() => bigintType, sizeOf),
  json_array_length: (call) => ({
    type: bigintType,
    sql: call.session.native(arrayLength, [jsonArgument(call, 1).sql]),
  }),
  json_array_get: (call) => {
    const json = jsonArgument(call, 2)
    const index = coerce(call.session, call.arguments[1]!, bigintType)
    if (index === undefined) throw noSuchOverload(call)
    return { type: jsonType, sql: call.session.native(arrayGet, [json.sql, index.sql]) }
  },
  json_array_contains: arrayContains,
  json_parse: (call) => {
    const [text] = call.arguments
    if (call.arguments.length !== 1 || text?.type.kind !== 'varchar') throw noSuchOverload(call)
    return parsedJson(call, text)
  },
  json_format: (call) => {
    const [json] = call.arguments
    if (call.arguments.length !== 1 || json?.type.kind !== 'json') throw noSuchOverload(call)
    return { type: varcharType, sql: json.sql }
  },
}
