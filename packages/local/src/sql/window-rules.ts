import { type AggregateCall, aggregateRules, isAggregate } from './aggregate-rules.ts'
import { cast, coerce } from './cast-rules.ts'
import { analyzeExpression, type ExpressionContext, sortItemSql } from './expression-analyzer.ts'
import { failure, notSupported } from './query-failure.ts'
import { refuseOrder } from './row-rules.ts'
import type {
  Expression,
  FrameBound,
  FunctionCall,
  Identifier,
  Position,
  SelectSpecification,
  WindowSpecification,
} from './syntax-tree.ts'
import {
  bigintType,
  commonType,
  doubleType,
  isInteger,
  isNested,
  type TrinoType,
  typeText,
} from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

const rankingFunctions: Readonly<Record<string, typeof bigintType>> = {
  row_number: bigintType,
  rank: bigintType,
  dense_rank: bigintType,
  percent_rank: doubleType,
  cume_dist: doubleType,
}

/** A function call with OVER. */
export function analyzeWindowCall(call: FunctionCall, context: ExpressionContext): TypedExpression {
  if (context.windows === undefined) {
    throw failure('EXPRESSION_NOT_SCALAR', `${context.clause} cannot contain window functions`, call.position)
  }
  const inner: ExpressionContext = { ...context, windows: undefined, clause: 'A window function' }
  const specification = namedWindow(call, context)
  const over = windowSql(specification, inner)
  const args = call.arguments.map((argument) => analyzeExpression(argument, inner))
  if (call.orderBy.length > 0)
    throw notSupported('ORDER BY in the arguments of a window function', call.position)
  if (isAggregate(call.name)) {
    if (call.ignoreNulls) throw notSupported(`IGNORE NULLS with ${call.name}`, call.position)
    if (call.filter !== undefined)
      throw failure('NOT_SUPPORTED', 'FILTER is not yet supported for window functions', call.position)
    const aggregate: AggregateCall = {
      ...call,
      session: context.session,
      arguments: args,
      filter: undefined,
      over,
      orderBy: [],
    }
    return aggregateRules[call.name]!(aggregate)
  }
  if (call.distinct || call.filter !== undefined)
    throw notSupported(`DISTINCT or FILTER with ${call.name}`, call.position)
  if (call.name === 'lag' || call.name === 'lead') {
    if (specification.orderBy.length === 0)
      throw failure(
        'MISSING_ORDER_BY',
        `${call.name} function requires an ORDER BY window clause`,
        call.position,
      )
    if (specification.frame !== undefined)
      throw failure(
        'INVALID_WINDOW_FRAME',
        `Cannot specify window frame for ${call.name} function`,
        call.position,
      )
  }
  const ranking = rankingFunctions[call.name]
  if (ranking !== undefined && args.length === 0) return { type: ranking, sql: `${call.name}() OVER ${over}` }
  return valueFunction(call, args, over, context)
}

function valueFunction(
  call: FunctionCall,
  args: readonly TypedExpression[],
  over: string,
  context: ExpressionContext,
): TypedExpression {
  const { session } = context
  const refuse = (): Error => {
    const types = args.map((argument) => typeText(argument.type)).join(', ')
    return notSupported(`the window function ${call.name}(${types})`, call.position)
  }
  const [value, count, otherwise] = args
  if (value === undefined || value.type.kind === 'unknown') throw refuse()
  const nulls = call.ignoreNulls ? ' IGNORE NULLS' : ''
  const counted = (smallest: number): string => {
    if (count?.constant === undefined || !isInteger(count.type) || Number(count.constant) < smallest)
      throw refuse()
    return cast(session, count, bigintType, false).sql
  }
  switch (call.name) {
    case 'ntile':
      if (
        args.length !== 1 ||
        value.constant === undefined ||
        !isInteger(value.type) ||
        Number(value.constant) < 1
      )
        throw refuse()
      return { type: bigintType, sql: `ntile(${cast(session, value, bigintType, false).sql}) OVER ${over}` }
    case 'first_value':
    case 'last_value':
      if (args.length !== 1) throw refuse()
      return { type: value.type, sql: `${call.name}(${value.sql}${nulls}) OVER ${over}` }
    case 'nth_value':
      if (args.length !== 2) throw refuse()
      return { type: value.type, sql: `nth_value(${value.sql}, ${counted(1)}${nulls}) OVER ${over}` }
    case 'lag':
    case 'lead': {
      if (args.length > 3) throw refuse()
      if (count === undefined)
        return { type: value.type, sql: `${call.name}(${value.sql}${nulls}) OVER ${over}` }
      const type = otherwise === undefined ? value.type : commonType(value.type, otherwise.type)
      const [of, fallback] = [value, otherwise].map((side) => side && type && coerce(session, side, type))
      if (type === undefined || of === undefined) throw refuse()
      const rest = fallback === undefined ? '' : `, ${fallback.sql}`
      return { type, sql: `${call.name}(${of.sql}, ${counted(0)}${rest}${nulls}) OVER ${over}` }
    }
    default:
      throw notSupported(`the window function ${call.name}`, call.position)
  }
}

function namedWindow(call: FunctionCall, context: ExpressionContext): WindowSpecification {
  const over = call.over!
  const windows = context.windows!
  return 'value' in over ? findWindow(over, windows) : withBase(over, windows)
}

type NamedWindows = ReadonlyMap<string, WindowSpecification>

function findWindow({ value, position }: Identifier, windows: NamedWindows): WindowSpecification {
  const found = windows.get(value.toLowerCase())
  if (found === undefined)
    throw failure('INVALID_WINDOW_REFERENCE', `Cannot resolve WINDOW name ${value}`, position)
  return found
}

/** A window with what it takes over from the one it is built on. */
function withBase(window: WindowSpecification, windows: NamedWindows): WindowSpecification {
  const { base: name, frame, partitionBy, orderBy } = window
  if (name === undefined) return window
  const base = findWindow(name, windows)
  const refuse = (errorName: string, message: string): Error => failure(errorName, message, name.position)
  if (partitionBy.length > 0)
    throw refuse(
      'INVALID_PARTITION_BY',
      'WINDOW specification with named WINDOW reference cannot specify PARTITION BY',
    )
  if (orderBy.length > 0 && base.orderBy.length > 0)
    throw refuse('INVALID_ORDER_BY', 'Cannot specify ORDER BY if referenced named WINDOW specifies ORDER BY')
  if (base.frame !== undefined)
    throw refuse('INVALID_WINDOW_REFERENCE', 'Cannot reference named WINDOW containing frame specification')
  return {
    partitionBy: base.partitionBy,
    orderBy: orderBy.length > 0 ? orderBy : base.orderBy,
    ...(frame && { frame }),
  }
}

/** The windows of a WINDOW clause by their lower-cased names; each may be built on those before it. */
export function namedWindows({ windows }: SelectSpecification): NamedWindows {
  const named = new Map<string, WindowSpecification>()
  for (const { name, window } of windows) {
    if (named.has(name.value.toLowerCase()))
      throw failure(
        'DUPLICATE_WINDOW_NAME',
        `WINDOW name '${name.value}' specified more than once`,
        name.position,
      )
    named.set(name.value.toLowerCase(), withBase(window, named))
  }
  return named
}

/** Refuses a frame that ends before it starts, whatever the distances. */
function refuseInvalidFrame({ start, end }: NonNullable<WindowSpecification['frame']>): void {
  const invalid = (what: string): Error => failure('INVALID_WINDOW_FRAME', `Window frame ${what}`)
  if (start.kind === 'unbounded-following') throw invalid('start cannot be UNBOUNDED FOLLOWING')
  if (end.kind === 'unbounded-preceding') throw invalid('end cannot be UNBOUNDED PRECEDING')
  if (start.kind === 'current-row' && end.kind === 'preceding')
    throw invalid('starting from CURRENT ROW cannot end with PRECEDING')
  if (start.kind === 'following' && (end.kind === 'preceding' || end.kind === 'current-row'))
    throw invalid(
      `starting from FOLLOWING cannot end with ${end.kind === 'preceding' ? 'PRECEDING' : 'CURRENT ROW'}`,
    )
}

function windowSql(window: WindowSpecification, context: ExpressionContext): string {
  const clauses: string[] = []
  if (window.partitionBy.length > 0) {
    clauses.push(
      `PARTITION BY ${window.partitionBy
        .map((key) => {
          const { type, sql } = analyzeExpression(key, context)
          // Trino compares keys here, and fails on a NULL within one.
          if (isNested(type)) throw notSupported(`PARTITION BY of ${typeText(type)}`, key.position)
          return sql
        })
        .join(', ')}`,
    )
  }
  const keys = window.orderBy.map((item) => analyzeExpression(item.expression, context))
  for (const { type } of keys) refuseOrder(type)
  // A frame of days over dates is one of timestamps to DuckDB.
  const byInterval = window.frame?.unit === 'RANGE' && keys.length === 1 && keys[0]!.type.kind === 'date'
  if (keys.length > 0) {
    const key = (i: number): string => (byInterval ? `CAST(${keys[i]!.sql} AS TIMESTAMP)` : keys[i]!.sql)
    clauses.push(
      `ORDER BY ${window.orderBy.map((item, i) => sortItemSql(key(i), item, keys[i]!)).join(', ')}`,
    )
  }
  if (window.frame !== undefined) {
    const { unit, start, end } = window.frame
    refuseInvalidFrame(window.frame)
    if (unit === 'GROUPS' && keys.length === 0)
      throw failure('MISSING_ORDER_BY', 'Window frame of type GROUPS requires ORDER BY')
    const bound = (side: FrameBound): string => frameBoundSql(side, unit, keys, context)
    clauses.push(`${unit} BETWEEN ${bound(start)} AND ${bound(end)}`)
  }
  return `(${clauses.join(' ')})`
}

function frameBoundSql(
  bound: FrameBound,
  unit: 'ROWS' | 'RANGE' | 'GROUPS',
  keys: readonly TypedExpression[],
  context: ExpressionContext,
): string {
  if (!('offset' in bound)) return bound.kind.replace('-', ' ').toUpperCase()
  const offset = analyzeExpression(bound.offset, context)
  const { position } = bound.offset as Expression
  if (offset.constant === undefined || !/^\d+(\.\d+)?$/.test(offset.constant)) {
    throw notSupported('frame offsets that are not literals', position)
  }
  const direction = bound.kind.toUpperCase()
  if (unit !== 'RANGE') {
    if (!isInteger(offset.type))
      throw failure('TYPE_MISMATCH', `Window frame ${unit} offset must be an integer`, position)
    return `${offset.constant} ${direction}`
  }
  const [key] = keys
  if (offset.type.kind === 'interval day to second' && keys.length === 1)
    return `${intervalDistance(key!.type, offset.constant, position)} ${direction}`
  const distance =
    key !== undefined && keys.length === 1 ? coerce(context.session, offset, key.type) : undefined
  if (distance === undefined || !(isInteger(key!.type) || key!.type.kind === 'decimal')) {
    throw notSupported('RANGE frames with an offset over other keys than one exact number', position)
  }
  return `${distance.sql} ${direction}`
}

/** The distance of a frame over times; a date is whole days away from another. */
function intervalDistance({ kind }: TrinoType, millis: string, position: Position): string {
  const isWholeDays = Number(millis) % 86_400_000 === 0
  if (kind !== 'timestamp' && kind !== 'timestamp with time zone' && !(kind === 'date' && isWholeDays))
    throw notSupported(`RANGE frames by an interval over ${kind}`, position)
  return `INTERVAL '${millis} milliseconds'`
}
