import { coerce } from './cast-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { type AnalyzedCall, type FunctionRule, noSuchOverload } from './function-call.ts'
import type { NativeFunction } from './native-function.ts'
import { addMonths, monthsBetween } from './native-time.ts'
import { arrayType, bigintType, duckDbType, type TrinoType, typeText } from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

const maximumLength = 10_000n
const microsPerDay = 86_400_000_000n

function invalid(message: string): FunctionFailure {
  return new FunctionFailure('INVALID_FUNCTION_ARGUMENT', message)
}

/** How many steps there are; Trino allows ten thousand. */
function stepCount(start: bigint, stop: bigint, step: bigint, distance: bigint): number {
  if (step === 0n) throw invalid('step must not be zero')
  if (step > 0n ? stop < start : stop > start) {
    throw invalid(
      'sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start',
    )
  }
  const length = distance / step + 1n
  if (length > maximumLength)
    throw invalid('result of sequence function must not have more than 10000 entries')
  return Number(length)
}

function steps(start: bigint, stop: bigint, step: bigint): bigint[] {
  const length = stepCount(start, stop, step, stop - start)
  return Array.from({ length }, (_, i) => start + BigInt(i) * step)
}

/** Steps of months from the start, each cut to the month it falls in. */
function monthSteps(start: bigint, stop: bigint, months: bigint): bigint[] {
  const length = stepCount(start, stop, months, monthsBetween(start, stop))
  return Array.from({ length }, (_, i) => addMonths(start, i * Number(months)))
}

function answer(
  call: AnalyzedCall,
  args: readonly TypedExpression[],
  element: TrinoType,
  evaluate: NativeFunction['evaluate'],
): TypedExpression {
  const type = arrayType(element)
  const native: NativeFunction = {
    name: `sequence:${args.map((argument) => typeText(argument.type)).join(',')}`,
    parameters: args.map((argument) => duckDbType(argument.type)),
    returns: duckDbType(type),
    evaluate,
  }
  return {
    type,
    sql: call.session.native(
      native,
      args.map(({ sql }) => sql),
    ),
  }
}

/** sequence(start, stop, step) of whole numbers, dates or timestamps. */
export const sequence: FunctionRule = (call) => {
  const [start, stop, step] = call.arguments
  if (start === undefined || stop === undefined || call.arguments.length > 3) throw noSuchOverload(call)
  const integers = call.arguments.map((argument) =>
    argument.type.kind === 'unknown' ? undefined : coerce(call.session, argument, bigintType),
  )
  if (integers.every((argument) => argument !== undefined)) {
    return answer(call, integers, bigintType, (from: bigint, to: bigint, by?: bigint) =>
      steps(from, to, by ?? (from <= to ? 1n : -1n)),
    )
  }
  const { type } = start
  const isTemporal = type.kind === 'date' || type.kind === 'timestamp'
  if (!isTemporal || typeText(stop.type) !== typeText(type)) throw noSuchOverload(call)
  if (step?.type.kind === 'interval year to month') {
    return type.kind === 'date'
      ? answer(call, call.arguments, type, (from: number, to: number, months: number) =>
          monthSteps(BigInt(from) * microsPerDay, BigInt(to) * microsPerDay, BigInt(months)).map((micros) =>
            Number(micros / microsPerDay),
          ),
        )
      : answer(call, call.arguments, type, (from: bigint, to: bigint, months: number) =>
          monthSteps(from, to, BigInt(months)),
        )
  }
  if (type.kind === 'timestamp') {
    if (step?.type.kind !== 'interval day to second') throw noSuchOverload(call)
    return answer(call, call.arguments, type, (from: bigint, to: bigint, millis: bigint) =>
      steps(from, to, millis * 1000n),
    )
  }
  if (step !== undefined && step.type.kind !== 'interval day to second') throw noSuchOverload(call)
  return answer(call, call.arguments, type, (from: number, to: number, millis?: bigint) => {
    if (millis !== undefined && millis % 86_400_000n !== 0n)
      throw invalid('sequence step must be a day interval if start and end values are dates')
    const days = millis === undefined ? (from <= to ? 1n : -1n) : millis / 86_400_000n
    return steps(BigInt(from), BigInt(to), days).map(Number)
  })
}
