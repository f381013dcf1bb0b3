import { cast, coerceOrFail } from './cast-rules.ts'
import { compare } from './comparison-rules.ts'
import { analyzeExpression, condition, type ExpressionContext } from './expression-analyzer.ts'
import { failure, typeMismatch } from './query-failure.ts'
import type { Expression, FunctionCall, Position } from './syntax-tree.ts'
import { booleanType, commonType, type TrinoType, typeText, unknownType, varcharType } from './trino-type.ts'
import { literal, nullOf, type TypedExpression } from './typed-expression.ts'

/** Calls that evaluate only some of their arguments, or none. */
export const conditionalForms: ReadonlySet<string> = new Set(['coalesce', 'if', 'nullif', 'try', 'typeof'])

/** The type all results become. */
export function unify(values: readonly TypedExpression[], what: string, position: Position): TrinoType {
  let type = unknownType
  for (const value of values) {
    const common = commonType(type, value.type)
    if (common === undefined) {
      throw typeMismatch(
        `All ${what} must be the same type: ${typeText(type)} and ${typeText(value.type)}`,
        position,
      )
    }
    type = common
  }
  return type
}

/** typeof: the value is computed, and may fail. */
function typeOf({ type, sql, constant }: TypedExpression): TypedExpression {
  const text = literal(typeText(type), varcharType)
  if (constant !== undefined) return text
  return { type: varcharType, sql: `CASE WHEN ${sql} IS NULL THEN ${text.sql} ELSE ${text.sql} END` }
}

/** CASE, COALESCE, IF, NULLIF, TRY and TYPEOF. */
export function analyzeConditional(
  node: FunctionCall | (Expression & { kind: 'case' }),
  context: ExpressionContext,
): TypedExpression {
  if (node.kind === 'case') return analyzeCase(node, context)
  const { session } = context
  const { position } = node
  const args =
    node.name === 'if' ? [] : node.arguments.map((argument) => analyzeExpression(argument, context))
  const expectCount = (least: number, most: number): void => {
    const count = node.arguments.length
    if (count < least || count > most) {
      throw failure('SYNTAX_ERROR', `Invalid number of arguments for '${node.name}' function`, position)
    }
  }
  switch (node.name) {
    case 'coalesce': {
      expectCount(2, Number.POSITIVE_INFINITY)
      const type = unify(args, 'COALESCE operands', position)
      const values = args.map((value) => cast(session, value, type, false, position).sql)
      return { type, sql: `coalesce(${values.join(', ')})` }
    }
    case 'nullif': {
      expectCount(2, 2)
      const equal = compare(session, '=', args[0]!, args[1]!, position)
      return { type: args[0]!.type, sql: `CASE WHEN ${equal.sql} THEN NULL ELSE ${args[0]!.sql} END` }
    }
    case 'try':
      expectCount(1, 1)
      return { type: args[0]!.type, sql: `TRY(${args[0]!.sql})` }
    case 'typeof':
      expectCount(1, 1)
      return typeOf(args[0]!)
    default: {
      expectCount(2, 3)
      const [test, result, otherwise] = node.arguments
      const branches = [{ condition: test!, result: result! }]
      return analyzeCase({ kind: 'case', branches, position, ...(otherwise && { otherwise }) }, context)
    }
  }
}

function analyzeCase(node: Expression & { kind: 'case' }, context: ExpressionContext): TypedExpression {
  const { session } = context
  const operand = node.operand && analyzeExpression(node.operand, context)
  const conditions = node.branches.map(({ condition: when }) => {
    if (operand === undefined) return condition(when, context, 'CASE WHEN clause')
    const equal = compare(session, '=', operand, analyzeExpression(when, context), when.position)
    return coerceOrFail(session, equal, booleanType, 'CASE operand', when.position).sql
  })
  const results = node.branches.map(({ result }) => analyzeExpression(result, context))
  const otherwise =
    node.otherwise === undefined ? nullOf(unknownType) : analyzeExpression(node.otherwise, context)
  const type = unify([...results, otherwise], 'CASE results', node.position)
  const value = (result: TypedExpression): string => cast(session, result, type, false, node.position).sql
  const branches = conditions.map((sql, i) => `WHEN ${sql} THEN ${value(results[i]!)}`)
  return { type, sql: `CASE ${branches.join(' ')} ELSE ${value(otherwise)} END` }
}
