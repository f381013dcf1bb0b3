import type { AnalysisSession } from './analysis-session.ts'
import type { NativeFunction } from './native-function.ts'
import { duckDbType, type TrinoType, typeText } from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'
import type { PlainValue } from './value-text.ts'

/** A call of a function in JavaScript whose meaning its name and the types of its arguments fix. */
export function nativeCall(
  session: AnalysisSession,
  name: string,
  args: readonly TypedExpression[],
  type: TrinoType,
  evaluate: (...values: never[]) => PlainValue,
  options: { readonly acceptsNull?: boolean } = {},
): TypedExpression {
  const native: NativeFunction = {
    name: `${name}:${args.map((argument) => typeText(argument.type)).join(',')}`,
    parameters: args.map((argument) => duckDbType(argument.type)),
    returns: duckDbType(type),
    evaluate,
    ...options,
  }
  return {
    type,
    sql: session.native(
      native,
      args.map(({ sql }) => sql),
    ),
  }
}
