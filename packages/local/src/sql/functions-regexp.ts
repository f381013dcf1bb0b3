import { FunctionFailure } from './decimal-arithmetic.ts'
import { type AnalyzedCall, constantText, type FunctionRule, takeArguments } from './function-call.ts'
import type { NativeFunction } from './native-function.ts'
import { notSupported } from './query-failure.ts'
import { type PortablePattern, portablePattern, portableReplacement } from './regular-expression.ts'
import {
  arrayType,
  bigintType,
  booleanType,
  boundedVarchar,
  duckDbType,
  type TrinoType,
  varcharType,
} from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'
import type { PlainValue } from './value-text.ts'

function patternOf(call: AnalyzedCall, repeated: boolean): PortablePattern {
  const text = constantText(call, call.arguments[1], 'a pattern')
  const pattern = portablePattern(text)
  if (pattern === undefined) throw notSupported(`the regular expression '${text}'`, call.position)
  // Where an empty match leaves the search differs between engines.
  if (repeated && ''.match(pattern.expression) !== null) {
    throw notSupported(`${call.name} with a pattern that matches nothing`, call.position)
  }
  return pattern
}

/** A function of one text and a fixed pattern; its name in DuckDB carries what is fixed. */
function apply(
  call: AnalyzedCall,
  text: TypedExpression,
  type: TrinoType,
  fixed: readonly (string | number)[],
  pattern: PortablePattern,
  evaluate: (text: string) => PlainValue,
): TypedExpression {
  const native: NativeFunction = {
    name: `${call.name}:${JSON.stringify(fixed)}`,
    parameters: ['VARCHAR'],
    returns: duckDbType(type),
    timeLimitMillis: 500,
    evaluate: (value: string) => {
      pattern.check(value)
      return evaluate(value)
    },
  }
  return { type, sql: call.session.native(native, [text.sql]) }
}

const like: FunctionRule = (call) => {
  const [text, source] = takeArguments(call, ['varchar', 'varchar'])
  const pattern = patternOf(call, false)
  return apply(
    call,
    text!,
    booleanType,
    [source!.constant!],
    pattern,
    (value) => value.search(pattern.expression) >= 0,
  )
}

const extract: FunctionRule = (call) => {
  const [text, source, group] = takeArguments(call, ['varchar', 'varchar', bigintType], 2)
  const pattern = patternOf(call, false)
  const index = group === undefined ? 0 : Number(constantText(call, group, 'a group'))
  const groups = groupsOf(pattern)
  return apply(call, text!, text!.type, [source!.constant!, index], pattern, (value) => {
    checkGroup(index, groups)
    pattern.expression.lastIndex = 0
    return pattern.expression.exec(value)?.[index] ?? null
  })
}

const replace: FunctionRule = (call) => {
  const [text, source, replacement] = takeArguments(call, ['varchar', 'varchar', 'varchar'], 2)
  const pattern = patternOf(call, true)
  const by = replacement === undefined ? '' : constantText(call, replacement, 'a replacement')
  const build = portableReplacement(by)
  if (build === undefined) throw notSupported(`regexp_replace with the replacement '${by}'`, call.position)
  const { length } = text!.type as TrinoType & { kind: 'varchar' }
  const added = [...by].length
  const type =
    replacement === undefined || length === undefined
      ? text!.type
      : boundedVarchar(
          Math.min(2_147_483_647, length + Math.max(Math.floor((length * added) / 2), added) * (length + 1)),
        )
  return apply(call, text!, type, [source!.constant!, by], pattern, (value) =>
    value.replace(pattern.expression, (...match: unknown[]) => {
      const end = match.findIndex((part) => typeof part === 'number')
      return build(match.slice(0, end) as (string | undefined)[])
    }),
  )
}

const count: FunctionRule = (call) => {
  const [text, source] = takeArguments(call, ['varchar', 'varchar'])
  const pattern = patternOf(call, true)
  return apply(call, text!, bigintType, [source!.constant!], pattern, (value) =>
    BigInt(value.match(pattern.expression)?.length ?? 0),
  )
}

const split: FunctionRule = (call) => {
  const [text, source] = takeArguments(call, ['varchar', 'varchar'])
  const pattern = patternOf(call, true)
  return apply(call, text!, arrayType(text!.type), [source!.constant!], pattern, (value) => {
    const parts: string[] = []
    let end = 0
    for (const match of value.matchAll(pattern.expression)) {
      parts.push(value.slice(end, match.index))
      end = match.index + match[0].length
    }
    return [...parts, value.slice(end)]
  })
}

function groupsOf(pattern: PortablePattern): number {
  return new RegExp(`${pattern.expression.source}|`, 'u').exec('')!.length - 1
}

function checkGroup(index: number, groups: number): void {
  if (index >= 0 && index <= groups) return
  throw new FunctionFailure(
    'INVALID_FUNCTION_ARGUMENT',
    `Pattern has ${groups} groups. Cannot access group ${index}`,
  )
}

const extractAll: FunctionRule = (call) => {
  const [text, source, group] = takeArguments(call, ['varchar', 'varchar', bigintType], 2)
  const pattern = patternOf(call, true)
  const index = group === undefined ? 0 : Number(constantText(call, group, 'a group'))
  const groups = groupsOf(pattern)
  return apply(call, text!, arrayType(text!.type), [source!.constant!, index], pattern, (value) => {
    checkGroup(index, groups)
    return [...value.matchAll(pattern.expression)].map((match) => match[index] ?? null)
  })
}

export const regexpFunctions: Readonly<Record<string, FunctionRule>> = {
  regexp_like: like,
  regexp_extract: extract,
  regexp_extract_all: extractAll,
  regexp_replace: replace,
  regexp_count: count,
  regexp_split: split,
}

/** split(text, delimiter, limit): the parts, empty ones among them; the last of a limit is all that is left. */
export const splitText: FunctionRule = (call) => {
  const [text, ...others] = takeArguments(call, ['varchar', 'varchar', bigintType], 2)
  const type = arrayType(text!.type)
  const native: NativeFunction = {
    name: `split_text_${call.arguments.length}`,
    parameters: ['VARCHAR', 'VARCHAR', 'BIGINT'].slice(0, call.arguments.length),
    returns: duckDbType(arrayType(varcharType)),
    evaluate: (value: string, by: string, limit?: bigint) => {
      const fail = (message: string): FunctionFailure =>
        new FunctionFailure('INVALID_FUNCTION_ARGUMENT', message)
      if (limit !== undefined && limit <= 0n) throw fail('Limit must be positive')
      if (by === '') throw fail('The delimiter may not be the empty string')
      const parts = value.split(by)
      if (limit === undefined || BigInt(parts.length) <= limit) return parts
      const last = Number(limit) - 1
      return [...parts.slice(0, last), parts.slice(last).join(by)]
    },
  }
  return { type, sql: call.session.native(native, [text!.sql, ...others.map(({ sql }) => sql)]) }
}
