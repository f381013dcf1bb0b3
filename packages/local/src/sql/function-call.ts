import type { AnalysisSession } from './analysis-session.ts'
import { coerce } from './cast-rules.ts'
import { notSupported } from './query-failure.ts'
import type { Position } from './syntax-tree.ts'
import { isNumeric, type TrinoType, typeText } from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

/** A call whose arguments are analysed. */
export interface AnalyzedCall {
  readonly session: AnalysisSession
  readonly name: string
  readonly arguments: readonly TypedExpression[]
  readonly position: Position
}

/** Gives a call its type and SQL, or refuses it. */
export type FunctionRule = (call: AnalyzedCall) => TypedExpression

/** The refusal of argument types without a rule. */
export function noSuchOverload(call: AnalyzedCall): Error {
  const types = call.arguments.map((argument) => typeText(argument.type)).join(', ')
  return notSupported(`the function ${call.name}(${types})`, call.position)
}

/** What an argument may be: a type to convert to, or a kind that keeps its parameters. */
export type ParameterRule = TrinoType | 'varchar' | 'number' | 'date' | 'timestamp' | 'datetime'

function accept(
  call: AnalyzedCall,
  argument: TypedExpression,
  rule: ParameterRule,
): TypedExpression | undefined {
  if (typeof rule !== 'string') return coerce(call.session, argument, rule)
  const { kind } = argument.type
  switch (rule) {
    case 'number':
      return isNumeric(argument.type) ? argument : undefined
    case 'datetime':
      return kind === 'date' || kind === 'timestamp' || kind === 'timestamp with time zone'
        ? argument
        : undefined
    default:
      return kind === rule ? argument : undefined
  }
}

/** The arguments converted to their parameters; the last ones may be left out down to `required`. */
export function takeArguments(
  call: AnalyzedCall,
  rules: readonly ParameterRule[],
  required = rules.length,
): readonly TypedExpression[] {
  if (call.arguments.length < required || call.arguments.length > rules.length) throw noSuchOverload(call)
  return call.arguments.map((argument, i) => {
    const accepted = accept(call, argument, rules[i]!)
    if (accepted === undefined) throw noSuchOverload(call)
    return accepted
  })
}

/** The text of an argument that must be a literal. */
export function constantText(
  call: AnalyzedCall,
  argument: TypedExpression | undefined,
  what: string,
): string {
  if (argument?.constant === undefined) {
    throw notSupported(`${call.name} with ${what} that is not a literal`, call.position)
  }
  return argument.constant
}
