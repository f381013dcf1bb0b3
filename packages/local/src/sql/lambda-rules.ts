import { elementFields, zipped } from './array-functions.ts'
import { cast } from './cast-rules.ts'
import { analyzeExpression, type ExpressionContext } from './expression-analyzer.ts'
import { makeMap } from './map-functions.ts'
import { failure, notSupported } from './query-failure.ts'
import { Scope } from './scope.ts'
import type { Expression, FunctionCall } from './syntax-tree.ts'
import { mentions } from './syntax-walk.ts'
import {
  arrayType,
  booleanType,
  commonType,
  duckDbType,
  mapType,
  sameType,
  type TrinoType,
  typeText,
} from './trino-type.ts'
import { nullOf, type TypedExpression } from './typed-expression.ts'

/** Gives a call with lambdas among its arguments its type and SQL, or refuses it. */
export type LambdaRule = (call: FunctionCall, context: ExpressionContext) => TypedExpression

type Lambda = Expression & { kind: 'lambda' }
type ArrayExpression = TypedExpression & { readonly type: TrinoType & { kind: 'array' } }
type MapExpression = TypedExpression & { readonly type: TrinoType & { kind: 'map' } }

/** The body of a lambda whose parameters are the given expressions. */
function bodyOf(
  lambda: Lambda,
  parameters: readonly TypedExpression[],
  context: ExpressionContext,
): TypedExpression {
  if (lambda.parameters.length !== parameters.length) {
    throw failure(
      'INVALID_PARAMETER_USAGE',
      `Expected a lambda that takes ${parameters.length} argument(s) but got ${lambda.parameters.length}`,
      lambda.position,
    )
  }
  const fields = parameters.map(({ type, sql }, i) => ({
    name: lambda.parameters[i]!,
    qualifier: [],
    type,
    sql,
  }))
  const names = new Set(lambda.parameters.map((name) => name.toLowerCase()))
  const { match } = context
  return analyzeExpression(lambda.body, {
    ...context,
    scope: new Scope(fields, context.scope.namedQueries, context.scope),
    clause: 'Lambda expression',
    aggregate: undefined,
    windows: undefined,
    grouping: undefined,
    lambdaDepth: depthOf(context) + 1,
    match: match && ((expression) => (mentions(expression, names) ? undefined : match(expression))),
    analyzeQuery: () => {
      throw notSupported('subqueries in lambdas', lambda.position)
    },
  })
}

function depthOf(context: ExpressionContext): number {
  return context.lambdaDepth ?? 0
}

/** The name of a lambda's parameter in DuckDB: no column has it, and none of a lambda around it. */
function parameterName(context: ExpressionContext, suffix = ''): string {
  return `"lambda ${depthOf(context)}${suffix}"`
}

function refuse(call: FunctionCall, types: readonly TrinoType[]): Error {
  return notSupported(`the function ${call.name}(${types.map(typeText).join(', ')}, ...)`, call.position)
}

function lambdaAt(call: FunctionCall, place: number): Lambda {
  const lambda = call.arguments[place]
  if (lambda?.kind !== 'lambda') throw notSupported(`${call.name} without a lambda there`, call.position)
  return lambda
}

function arrayAt(call: FunctionCall, place: number, context: ExpressionContext): ArrayExpression {
  const array = analyzeExpression(call.arguments[place]!, context)
  if (array.type.kind !== 'array') throw refuse(call, [array.type])
  return array as ArrayExpression
}

function expectCount(call: FunctionCall, count: number): void {
  if (call.arguments.length !== count)
    throw notSupported(`${call.name} with ${call.arguments.length} arguments`, call.position)
}

/** The SQL of a condition; Trino takes no other type, and no untyped NULL. */
function condition(body: TypedExpression, lambda: Lambda): string {
  if (body.type.kind === 'boolean') return body.sql
  throw failure(
    'FUNCTION_NOT_FOUND',
    `A lambda that gives ${typeText(body.type)} stands where one must give boolean`,
    lambda.position,
  )
}

const transform: LambdaRule = (call, context) => {
  expectCount(call, 2)
  const array = arrayAt(call, 0, context)
  const name = parameterName(context)
  const body = bodyOf(lambdaAt(call, 1), [{ type: array.type.element, sql: name }], context)
  return { type: arrayType(body.type), sql: `list_transform(${array.sql}, lambda ${name}: ${body.sql})` }
}

const filter: LambdaRule = (call, context) => {
  expectCount(call, 2)
  const array = arrayAt(call, 0, context)
  const lambda = lambdaAt(call, 1)
  const name = parameterName(context)
  const body = bodyOf(lambda, [{ type: array.type.element, sql: name }], context)
  return {
    type: array.type,
    sql: `list_filter(${array.sql}, lambda ${name}: ${condition(body, lambda)})`,
  }
}

/** reduce(array, state, (s, x) -> s, s -> r): states and elements travel in one struct, as DuckDB wants one type. */
const reduce: LambdaRule = (call, context) => {
  expectCount(call, 4)
  const array = arrayAt(call, 0, context)
  const start = analyzeExpression(call.arguments[1]!, context)
  const { element } = array.type
  const [before, item, last] = [' s', ' x', ' r'].map((suffix) => parameterName(context, suffix))
  const input = lambdaAt(call, 2)
  const step = (type: TrinoType): TypedExpression =>
    bodyOf(
      input,
      [
        { type, sql: `struct_extract(${before}, 's')` },
        { type: element, sql: `struct_extract(${item}, 'x')` },
      ],
      context,
    )
  // A state widens to what the lambda gives, until it gives the same.
  let state = start.type
  let next = step(state)
  for (let round = 0; round < 3 && !sameType(next.type, state); round++) {
    const wider = commonType(state, next.type)
    if (wider === undefined || sameType(wider, state)) break
    state = wider
    next = step(state)
  }
  if (!sameType(next.type, state) || state.kind === 'unknown')
    throw notSupported(
      `reduce of ${typeText(state)} by a lambda that gives ${typeText(next.type)}`,
      input.position,
    )
  const initial = cast(context.session, start, state, false, call.position)
  const output = bodyOf(lambdaAt(call, 3), [{ type: state, sql: last! }], context)
  const pack = (s: string, x: string): string =>
    `CAST({'s': ${s}, 'x': ${x}} AS STRUCT("s" ${duckDbType(state)}, "x" ${duckDbType(element)}))`
  const items = `list_transform(${array.sql}, lambda ${item}: ${pack(nullOf(state).sql, item!)})`
  const steps = `lambda ${before}, ${item}: ${pack(next.sql, nullOf(element).sql)}`
  const reduced = `struct_extract(list_reduce(${items}, ${steps}, ${pack(initial.sql, nullOf(element).sql)}), 's')`
  const result = `list_extract(list_transform([${reduced}], lambda ${last}: ${output.sql}), 1)`
  return { type: output.type, sql: `CASE WHEN ${array.sql} IS NULL THEN NULL ELSE ${result} END` }
}

/** any_match and all_match: a reduction by OR or AND that stops at the element that decides. */
function match(operator: 'OR' | 'AND', negated = false): LambdaRule {
  return (call, context) => {
    expectCount(call, 2)
    const lambda = lambdaAt(call, 1)
    const { position } = lambda
    const array = arrayAt(call, 0, context)
    const parameter = { type: array.type.element, sql: parameterName(context) }
    condition(bodyOf(lambda, [parameter], context), lambda)
    // No name of a statement begins with a space.
    const reference: Expression = { kind: 'reference', parts: [{ value: ' state', position }], position }
    const step: Expression = { kind: 'logical', operator, operands: [reference, lambda.body], position }
    const reduced = reduce(
      {
        ...call,
        arguments: [
          call.arguments[0]!,
          { kind: 'boolean', value: operator === 'AND', position },
          { kind: 'lambda', parameters: [' state', ...lambda.parameters], body: step, position },
          { kind: 'lambda', parameters: [' state'], body: reference, position },
        ],
      },
      context,
    )
    return negated ? { type: booleanType, sql: `(NOT ${reduced.sql})` } : reduced
  }
}

const zipWith: LambdaRule = (call, context) => {
  expectCount(call, 3)
  const arrays = [arrayAt(call, 0, context), arrayAt(call, 1, context)]
  const rows = zipped(context.session, arrays)
  const name = parameterName(context)
  const body = bodyOf(lambdaAt(call, 2), elementFields(rows.type, name), context)
  return { type: arrayType(body.type), sql: `list_transform(${rows.sql}, lambda ${name}: ${body.sql})` }
}

/** A function of a map and a lambda of key and value. */
function overEntries(
  build: (
    map: MapExpression,
    lambda: { readonly name: string; readonly body: TypedExpression; readonly node: Lambda },
    context: ExpressionContext,
  ) => TypedExpression,
): LambdaRule {
  return (call, context) => {
    expectCount(call, 2)
    const map = analyzeExpression(call.arguments[0]!, context)
    if (map.type.kind !== 'map') throw refuse(call, [map.type])
    const node = lambdaAt(call, 1)
    const name = parameterName(context)
    const key = { type: map.type.key, sql: `struct_extract(${name}, 'key')` }
    const value = { type: map.type.value, sql: `struct_extract(${name}, 'value')` }
    return build(map as MapExpression, { name, node, body: bodyOf(node, [key, value], context) }, context)
  }
}

const mapFilter = overEntries((map, { name, body, node }) => {
  const kept = `list_filter(map_entries(${map.sql}), lambda ${name}: ${condition(body, node)})`
  // A constant NULL would lose its type.
  return { type: map.type, sql: `CAST(map_from_entries(${kept}) AS ${duckDbType(map.type)})` }
})

const transformValues = overEntries((map, { name, body }) => ({
  type: mapType(map.type.key, body.type),
  sql: `map(map_keys(${map.sql}), list_transform(map_entries(${map.sql}), lambda ${name}: ${body.sql}))`,
}))

const transformKeys = overEntries((map, { name, body }, context) => {
  const keys = {
    type: arrayType(body.type),
    sql: `list_transform(map_entries(${map.sql}), lambda ${name}: ${body.sql})`,
  }
  const values = { type: arrayType(map.type.value), sql: `map_values(${map.sql})` }
  return makeMap(context.session, keys, values, 'Duplicate keys')
})

export const lambdaFunctions: Readonly<Record<string, LambdaRule>> = {
  transform,
  filter,
  reduce,
  any_match: match('OR'),
  all_match: match('AND'),
  none_match: match('OR', true),
  zip_with: zipWith,
  map_filter: mapFilter,
  transform_values: transformValues,
  transform_keys: transformKeys,
}
