import type { Column, ColumnOutput } from '@stockpipe/core'
import { type Expression, ExpressionWrapper, type OperationNode } from 'kysely'
import type { StatedNode } from './expression-type.ts'

/**
 * An expression with the type of what it answers: `stated(sql`approx_percentile(price, 0.5)`, t.double()).as('median')`.
 * The type is what the rows promise and what they are decoded by; an answer of another type is an error.
 */
export const stated = <C extends Column>(
  expression: Expression<unknown>,
  column: C,
): ExpressionWrapper<never, never, ColumnOutput<C>> => {
  const node: StatedNode & { readonly node: OperationNode } = {
    kind: 'ParensNode',
    node: expression.toOperationNode(),
    stated: column,
  }
  return new ExpressionWrapper(node)
}
