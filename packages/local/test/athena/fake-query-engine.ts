import {
  type QueryDescription,
  type QueryEngine,
  QueryError,
  type QueryResult,
  type RowSink,
  type RunQueryOptions,
} from '../../src/sql/query-engine.ts'

export type Query = RunQueryOptions & { readonly rowSink?: RowSink }

/** A query engine that answers what a test tells it to, and notes what it was asked. */
export class FakeQueryEngine implements QueryEngine {
  readonly asked: Query[] = []
  closed = false
  readonly #answer: (options: Query) => Promise<QueryResult> | QueryResult

  constructor(answer: (options: Query) => Promise<QueryResult> | QueryResult) {
    this.#answer = answer
  }

  async run(options: Query): Promise<QueryResult> {
    this.asked.push(options)
    return this.#answer(options)
  }

  async describe(): Promise<QueryDescription> {
    return { columns: [], relations: [], scans: [] }
  }

  async write(): Promise<never> {
    throw new QueryError('NOT_SUPPORTED', 'this engine writes nothing')
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

export const oneRow: QueryResult = {
  columns: [{ name: 'one', type: 'integer' }],
  rows: [['1']],
  scannedBytes: 7,
}

/** A query that runs until its signal is aborted. */
export function untilAborted({ signal }: RunQueryOptions): Promise<QueryResult> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason))
  })
}
