import type { QueryFacts, StatementOptions } from '../athena.ts'

/** How the queries of a builder are run; what is left out is as `createAthena` was told. */
export interface RunSettings extends Omit<StatementOptions, 'sql' | 'parameters'> {
  /** Told what a query cost once it has ended, before its rows are handed out; not of those that are streamed. */
  readonly onFacts?: (facts: QueryFacts) => void
}
