import { constantText, type FunctionRule, takeArguments } from './function-call.ts'
import { findInJson, type JsonFound, jsonPath } from './json-path.ts'
import { notSupported } from './query-failure.ts'
import { bigintType, duckDbType, type TrinoType } from './trino-type.ts'
import type { PlainValue } from './value-text.ts'

/** A function of JSON text and a path; the type of the text is the result's where `type` says so. */
function atPath(
  type: TrinoType | 'same',
  answer: (found: JsonFound | undefined) => PlainValue,
): FunctionRule {
  return (call) => {
    const [text] = takeArguments(call, ['varchar', 'varchar'])
    const path = constantText(call, call.arguments[1], 'a path')
    const steps = jsonPath(path)
    if (steps === undefined) throw notSupported(`the JSON path '${path}'`, call.position)
    const result = type === 'same' ? text!.type : type
    const native = {
      name: `${call.name}:${path}`,
      parameters: ['VARCHAR'],
      returns: duckDbType(result),
      evaluate: (json: string) => answer(findInJson(json, steps)),
    }
    return { type: result, sql: call.session.native(native, [text!.sql]) }
  }
}

export const jsonFunctions: Readonly<Record<string, FunctionRule>> = {
  json_extract_scalar: atPath('same', (found) =>
    found === undefined || found.kind === 'null' || !('text' in found) ? null : found.text,
  ),
  json_size: atPath(bigintType, (found) => {
    if (found === undefined) return null
    return 'size' in found ? BigInt(found.size) : 0n
  }),
  json_array_length: (call) => {
    const [text] = takeArguments(call, ['varchar'])
    const native = {
      name: 'json_array_length_text',
      parameters: ['VARCHAR'],
      returns: 'BIGINT',
      evaluate: (json: string) => {
        const found = findInJson(json, [])
        return found?.kind === 'array' ? BigInt(found.size) : null
      },
    }
    return { type: bigintType, sql: call.session.native(native, [text!.sql]) }
  },
}
