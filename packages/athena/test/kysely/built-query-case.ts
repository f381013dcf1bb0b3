import type { Athena } from '../../src/index.ts'
import { withBuilder } from '../../src/kysely/index.ts'
import { quotesTable, type Trade, trades, tradesTable } from './built-queries-data.ts'

export const builderOf = (athena: Athena) =>
  withBuilder(athena).from(tradesTable, quotesTable).withSettings({ allowFullScan: true })

/** A built query and what a plain computation says it answers. */
export interface BuiltQueryCase {
  readonly build: (db: ReturnType<typeof builderOf>) => { execute(): Promise<object[]> }
  readonly expected: readonly object[]
  /** The rows come in this order. */
  readonly ordered?: true
  /** What the embedded Athena refuses by that name. */
  readonly notEmbedded?: string
}

export const iso = (text: string) => new Date(text)
export const pick = <Name extends keyof Trade>(rows: readonly Trade[], ...names: readonly Name[]) =>
  rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name]])))
export const ids = (keep: (trade: Trade) => boolean) => pick(trades.filter(keep), 'id')
/** As Trino orders text. */
export const byText = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right))
export const grouped = <Key extends string>(keyOf: (trade: Trade) => Key) => {
  const groups = new Map<Key, Trade[]>()
  for (const row of trades) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row])
  return [...groups]
}
