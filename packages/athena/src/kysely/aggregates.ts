import type { Decimal } from '@stockpipe/core'
import {
  AggregateFunctionBuilder,
  type AggregateFunctionNode,
  type ExpressionBuilder,
  type ExtractTypeFromReferenceExpression,
  type ReferenceExpression,
} from 'kysely'
import type { ExactAggregateNode } from './expression-type.ts'

/** What sum() answers: of Decimals a `Decimal`, of bigints a bigint, of numbers a number. */
export type SumValue<Value> = NonNullable<Value> extends Decimal | bigint ? NonNullable<Value> : number
/** What avg() answers: of Decimals a `Decimal`, of anything else a number. */
export type AverageValue<Value> = NonNullable<Value> extends Decimal ? Decimal : number

type ValueOf<DB, TB extends keyof DB, Reference> = ExtractTypeFromReferenceExpression<DB, TB, Reference>

const aggregate = <Value, DB, TB extends keyof DB>(
  builder: ExpressionBuilder<DB, TB>,
  name: string,
  reference: ReferenceExpression<DB, TB>,
): AggregateFunctionBuilder<DB, TB, Value | null> => {
  const plain = builder.fn.agg(name, [reference]).toOperationNode() as AggregateFunctionNode
  const aggregateFunctionNode: ExactAggregateNode = { ...plain, exact: true }
  return new AggregateFunctionBuilder({ aggregateFunctionNode })
}

/**
 * `sum(eb, 'price')`, typed as Athena answers it, where Kysely's `fn.sum` promises number, string or bigint. Null over
 * no rows. A sum of numbers beyond 2^53 - 1 is an error: sum bigints.
 */
export const sum = <DB, TB extends keyof DB, Reference extends ReferenceExpression<DB, TB>>(
  builder: ExpressionBuilder<DB, TB>,
  reference: Reference,
): AggregateFunctionBuilder<DB, TB, SumValue<ValueOf<DB, TB, Reference>> | null> =>
  aggregate(builder, 'sum', reference)

/** `avg(eb, 'price')`, typed as Athena answers it: a `Decimal` of decimals, at their scale. Null over no rows. */
export const avg = <DB, TB extends keyof DB, Reference extends ReferenceExpression<DB, TB>>(
  builder: ExpressionBuilder<DB, TB>,
  reference: Reference,
): AggregateFunctionBuilder<DB, TB, AverageValue<ValueOf<DB, TB, Reference>> | null> =>
  aggregate(builder, 'avg', reference)

/** `min(eb, 'price')`, which is null over no rows, where Kysely's `fn.min` does not say so. */
export const min = <DB, TB extends keyof DB, Reference extends ReferenceExpression<DB, TB>>(
  builder: ExpressionBuilder<DB, TB>,
  reference: Reference,
): AggregateFunctionBuilder<DB, TB, ValueOf<DB, TB, Reference> | null> => aggregate(builder, 'min', reference)

/** `max(eb, 'price')`, which is null over no rows, where Kysely's `fn.max` does not say so. */
export const max = <DB, TB extends keyof DB, Reference extends ReferenceExpression<DB, TB>>(
  builder: ExpressionBuilder<DB, TB>,
  reference: Reference,
): AggregateFunctionBuilder<DB, TB, ValueOf<DB, TB, Reference> | null> => aggregate(builder, 'max', reference)
