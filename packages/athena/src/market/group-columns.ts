import { type Column, ConfigurationError } from '@stockpipe/core'
import { identifier, SqlFragment, sql } from '../sql-template.ts'
import { type MarketSource, type SelectedColumn, selected, sourceText, tableColumn } from './table-column.ts'

/** The columns an answer is grouped by, under their own names. */
export type GroupColumns<Source extends MarketSource, Per extends readonly string[]> = {
  readonly [Name in Per[number]]: SelectedColumn<Source, Name>
}

/** The columns of `per` as the query answers them. */
export const groupColumns = (source: MarketSource, per: readonly string[]): Record<string, Column> =>
  Object.fromEntries(per.map((name) => [name, selected(source, name)]))

/** The columns of `per` in SELECT (with a comma after each), GROUP BY and ORDER BY. */
export const groupList = (
  source: MarketSource,
  per: readonly string[],
  figures: readonly string[],
): { select: SqlFragment; groupBy: SqlFragment; orderBy: SqlFragment } => {
  for (const [index, name] of per.entries()) {
    tableColumn(source, name)
    if (figures.includes(name.toLowerCase()) || per.indexOf(name) !== index) {
      throw new ConfigurationError({
        code: 'NAME_REPEATED',
        message: `${sourceText(source)}: the answer would hold '${name}' twice; name each column once, and give a column called ${figures.join(' or ')} another name in a query of your own.`,
      })
    }
  }
  const positions = new SqlFragment(per.map((_, index) => index + 1).join(', '), [])
  return {
    select: new SqlFragment(per.map((name) => `${identifier(name).sql}, `).join(''), []),
    groupBy: per.length === 0 ? positions : sql`GROUP BY ${positions}`,
    orderBy: per.length === 0 ? positions : sql`ORDER BY ${positions}`,
  }
}
