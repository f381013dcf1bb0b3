import { type FunctionRule, takeArguments } from './function-call.ts'
import type { NativeFunction } from './native-function.ts'
import { doubleType } from './trino-type.ts'

type Compute = (...values: number[]) => number

/**
 * A function whose last digit is nearer to Java's in DuckDB, by the C library, than in JavaScript. Where `isUsual` does
 * not hold DuckDB fails or follows C's rules for NaN and 1: JavaScript's are Java's.
 */
function ofDoubles(name: string, arity: number, compute: Compute, isUsual: (x: string) => string) {
  const native: NativeFunction = {
    name: `math_${name}`,
    parameters: Array.from({ length: arity }, () => 'DOUBLE'),
    returns: 'DOUBLE',
    evaluate: compute as (...values: readonly never[]) => number,
  }
  return (call: Parameters<FunctionRule>[0], args: readonly string[]): string =>
    `CASE WHEN ${isUsual(args[0]!)} THEN ${name}(${args.join(', ')}) ELSE ${call.session.native(native, args)} END`
}

const ln = ofDoubles('ln', 1, Math.log, (x) => `${x} > 0`)

function rule(
  arity: number,
  sql: (call: Parameters<FunctionRule>[0], args: readonly string[]) => string,
): FunctionRule {
  const types = Array.from({ length: arity }, () => doubleType)
  return (call) => ({
    type: doubleType,
    sql: sql(
      call,
      takeArguments(call, types).map((argument) => argument.sql),
    ),
  })
}

const quotient = (dividend: string, divisor: string): string => `CAST(${dividend} / ${divisor} AS DOUBLE)`

const power = rule(
  2,
  ofDoubles(
    'pow',
    2,
    (x, y) => x ** y,
    (x) => `abs(${x}) <> 1`,
  ),
)

const ofAngle = (name: string, compute: Compute): FunctionRule =>
  rule(
    1,
    ofDoubles(name, 1, compute, (x) => `isfinite(${x})`),
  )

/** Powers, logarithms and what has angles. */
export const transcendentalFunctions: Readonly<Record<string, FunctionRule>> = {
  ln: rule(1, ln),
  log2: rule(1, (call, args) => quotient(ln(call, args), `CAST('${Math.LN2}' AS DOUBLE)`)),
  log: rule(2, (call, [base, x]) => quotient(ln(call, [x!]), ln(call, [base!]))),
  exp: rule(
    1,
    ofDoubles('exp', 1, Math.exp, (x) => `abs(${x}) < 700`),
  ),
  power,
  pow: power,
  sin: ofAngle('sin', Math.sin),
  cos: ofAngle('cos', Math.cos),
  tan: ofAngle('tan', Math.tan),
}
