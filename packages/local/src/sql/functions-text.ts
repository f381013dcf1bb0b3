import { concatenateArrays, textAndNull } from './array-concatenation.ts'
import { reverseArray } from './array-functions.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import {
  type AnalyzedCall,
  type FunctionRule,
  noSuchOverload,
  type ParameterRule,
  takeArguments,
} from './function-call.ts'
import { splitText } from './functions-regexp.ts'
import { nativeCall } from './native-call.ts'
import type { NativeFunction } from './native-function.ts'
import { notSupported } from './query-failure.ts'
import {
  bigintType,
  booleanType,
  boundedVarchar,
  duckDbType,
  type TrinoType,
  varbinaryType,
  varcharType,
} from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

/** How the length of a result follows from the first argument's. */
type ResultType = TrinoType | 'same'

function native(
  name: string,
  rules: readonly ParameterRule[],
  result: ResultType,
  evaluate: (...values: never[]) => string | boolean | bigint | null | Uint8Array,
  required = rules.length,
): FunctionRule {
  return (call) => {
    const args = takeArguments(call, rules, required)
    const type = result === 'same' ? args[0]!.type : result
    const definition: NativeFunction = {
      name: `text_${name}_${args.length}`,
      parameters: args.map((argument) => duckDbType(argument.type)),
      returns: duckDbType(type),
      evaluate,
    }
    return {
      type,
      sql: call.session.native(
        definition,
        args.map((argument) => argument.sql),
      ),
    }
  }
}

/** Java maps one code point to one: ß stays, İ becomes i. */
function changeCase(text: string, change: (character: string) => string): string {
  const whole = change(text)
  if (/^[\0-\x7f]*$/.test(text)) return whole
  return [...text]
    .map((character) => {
      if (character === 'İ') return change('I') === 'i' ? 'i' : character
      const changed = change(character)
      return [...changed].length === 1 ? changed : character
    })
    .join('')
}

/** Java's Character.isWhitespace: Unicode spaces except those that do not break. */
const whitespace =
  '[\\u0009-\\u000d\\u001c-\\u0020\\u1680\\u2000-\\u2006\\u2008-\\u200a\\u2028\\u2029\\u205f\\u3000]'

function trimmed(text: string, characters: string | undefined, sides: 'both' | 'left' | 'right'): string {
  const points = [...text]
  const strip = characters === undefined ? new RegExp(`^${whitespace}$`, 'u') : new Set(characters)
  const drops = (point: string): boolean => (strip instanceof Set ? strip.has(point) : strip.test(point))
  let start = 0
  let end = points.length
  if (sides !== 'right') while (start < end && drops(points[start]!)) start += 1
  if (sides !== 'left') while (end > start && drops(points[end - 1]!)) end -= 1
  return points.slice(start, end).join('')
}

function trim(name: string, sides: 'both' | 'left' | 'right'): FunctionRule {
  return native(
    name,
    ['varchar', 'varchar'],
    'same',
    (text: string, characters?: string) => trimmed(text, characters, sides),
    1,
  )
}

function substring(text: string, start: bigint, length?: bigint): string {
  const points = [...text]
  const from = start > 0n ? Number(start) - 1 : points.length + Number(start)
  if (start === 0n || from < 0 || from >= points.length) return ''
  if (length !== undefined && length <= 0n) return ''
  return points.slice(from, length === undefined ? undefined : from + Number(length)).join('')
}

const substr: FunctionRule = (call) => {
  const [text, start, length] = takeArguments(call, ['varchar', bigintType, bigintType], 2)
  // What both engines cut alike needs no detour.
  if (Number(start!.constant) > 0 && (length === undefined || Number(length.constant) >= 0)) {
    const args = [text, start, length].flatMap((argument) => (argument === undefined ? [] : [argument.sql]))
    return { type: text!.type, sql: `substring(${args.join(', ')})` }
  }
  return native('substr', ['varchar', bigintType, bigintType], 'same', substring, 2)(call)
}

/** Counts code points, as all text functions of Trino do. */
function positionOf(text: string, part: string): bigint {
  const at = text.indexOf(part)
  if (at < 0) return 0n
  return BigInt([...text.slice(0, at)].length + 1)
}

function splitPart(text: string, delimiter: string, index: bigint): string | null {
  if (index <= 0n) throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', 'Index must be greater than zero')
  if (delimiter === '') throw new FunctionFailure('NOT_SUPPORTED', 'split_part with an empty delimiter')
  return text.split(delimiter)[Number(index) - 1] ?? null
}

function pad(text: string, size: bigint, fill: string, side: 'left' | 'right'): string {
  if (size < 0n || size > 2_147_483_647n) {
    throw new FunctionFailure(
      'INVALID_FUNCTION_ARGUMENT',
      'Target length must be in the range [0..2147483647]',
    )
  }
  if (size > 1_000_000n)
    throw new FunctionFailure('NOT_SUPPORTED', 'The embedded Athena does not pad beyond a million characters')
  const filler = [...fill]
  if (filler.length === 0)
    throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', 'Padding string must not be empty')
  const points = [...text]
  const missing = Number(size) - points.length
  if (missing <= 0) return points.slice(0, Number(size)).join('')
  const whole = fill.repeat(Math.floor(missing / filler.length))
  const padding = whole + filler.slice(0, missing % filler.length).join('')
  return side === 'left' ? padding + text : text + padding
}

/** || of texts or arrays; an untyped NULL makes an array of it in Trino. */
export function concatenate(call: AnalyzedCall): TypedExpression {
  const [first, second] = call.arguments
  if (first?.type.kind === 'varchar' && second?.type.kind === 'unknown' && call.arguments.length === 2)
    return textAndNull(first)
  if (call.arguments.some((argument) => argument.type.kind === 'array')) return concatenateArrays(call)
  const unknown = call.arguments.some((argument) => argument.type.kind === 'unknown')
  if (unknown) throw notSupported('concatenation with an untyped NULL', call.position)
  if (call.arguments.length < 2 || call.arguments.some((argument) => argument.type.kind !== 'varchar')) {
    throw noSuchOverload(call)
  }
  const sql = call.arguments.map((argument) => argument.sql).join(' || ')
  return { type: varcharType, sql: `CAST((${sql}) AS VARCHAR)` }
}

/** concat_ws(separator, ...) of texts, or of an array of them: those that are not NULL. */
const concatWithSeparator: FunctionRule = (call) => {
  const [separator, ...parts] = call.arguments
  const isText = (argument: TypedExpression | undefined): boolean => argument?.type.kind === 'varchar'
  const [list] = parts
  if (
    isText(separator) &&
    parts.length === 1 &&
    list!.type.kind === 'array' &&
    list!.type.element.kind === 'varchar'
  ) {
    return nativeCall(
      call.session,
      'concat_ws_array',
      [separator!, list!],
      varcharType,
      (by: string, texts: readonly (string | null)[]) => texts.filter((text) => text !== null).join(by),
    )
  }
  if (!isText(separator) || parts.length === 0 || !parts.every(isText)) throw noSuchOverload(call)
  return nativeCall(
    call.session,
    call.name,
    call.arguments,
    varcharType,
    (by: string | null, ...texts: (string | null)[]) =>
      by === null ? null : texts.filter((text) => text !== null).join(by),
    { acceptsNull: true },
  )
}

const length: FunctionRule = (call) => {
  const [text] = takeArguments(call, ['varchar'])
  return { type: bigintType, sql: `length(${text!.sql})` }
}

const replace: FunctionRule = (call) => {
  const args = takeArguments(call, ['varchar', 'varchar', 'varchar'], 2)
  const [text, , by] = args.map((argument) => (argument.type as TrinoType & { kind: 'varchar' }).length)
  const longest =
    text === undefined || by === undefined ? varcharType : boundedVarchar(text + by * (text + 1))
  const type = args.length === 2 ? args[0]!.type : longest
  return native('replace', ['varchar', 'varchar', 'varchar'], type, replaceAll, 2)(call)
}

function replaceAll(text: string, search: string, replacement = ''): string {
  if (search === '') {
    const points = [...text]
    return replacement + points.map((point) => point + replacement).join('')
  }
  return text.replaceAll(search, () => replacement)
}

const startsWith: FunctionRule = (call) => {
  const [text, prefix] = takeArguments(call, ['varchar', 'varchar'])
  return { type: booleanType, sql: `starts_with(${text!.sql}, ${prefix!.sql})` }
}

const reverseText = native('reverse', ['varchar'], 'same', (text: string) => [...text].reverse().join(''))

export const textFunctions: Readonly<Record<string, FunctionRule>> = {
  lower: native('lower', ['varchar'], 'same', (text: string) =>
    changeCase(text, (value) => value.toLowerCase()),
  ),
  upper: native('upper', ['varchar'], 'same', (text: string) =>
    changeCase(text, (value) => value.toUpperCase()),
  ),
  length,
  substr,
  substring: substr,
  concat: concatenate,
  concat_ws: concatWithSeparator,
  trim: trim('trim', 'both'),
  ltrim: trim('ltrim', 'left'),
  rtrim: trim('rtrim', 'right'),
  replace,
  reverse: (call) => (call.arguments[0]?.type.kind === 'array' ? reverseArray(call) : reverseText(call)),
  strpos: native('strpos', ['varchar', 'varchar'], bigintType, positionOf),
  split_part: native('split_part', ['varchar', 'varchar', bigintType], 'same', splitPart),
  lpad: native(
    'lpad',
    ['varchar', bigintType, 'varchar'],
    varcharType,
    (text: string, size: bigint, fill: string) => pad(text, size, fill, 'left'),
  ),
  rpad: native(
    'rpad',
    ['varchar', bigintType, 'varchar'],
    varcharType,
    (text: string, size: bigint, fill: string) => pad(text, size, fill, 'right'),
  ),
  split: splitText,
  starts_with: startsWith,
  chr: native('chr', [bigintType], boundedVarchar(1), (point: bigint) => {
    if (point < 0n || point > 0x10ffffn || (point >= 0xd800n && point <= 0xdfffn)) {
      throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', `Not a valid Unicode code point: ${point}`)
    }
    return String.fromCodePoint(Number(point))
  }),
  to_utf8: (call) => {
    const [text] = takeArguments(call, ['varchar'])
    return { type: varbinaryType, sql: `encode(${text!.sql})` }
  },
  to_hex: native('to_hex', [varbinaryType], varcharType, (bytes: Uint8Array) =>
    Buffer.from(bytes).toString('hex').toUpperCase(),
  ),
  to_base64: native('to_base64', [varbinaryType], varcharType, (bytes: Uint8Array) =>
    Buffer.from(bytes).toString('base64'),
  ),
}
