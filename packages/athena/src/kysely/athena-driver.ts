import { ConfigurationError } from '@stockpipe/core'
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import type { Athena } from '../athena.ts'
import type { SqlValue } from '../sql-literal.ts'
import { type AnswerRow, promisedRow, statedOutputs, toldRows } from './answer-decoding.ts'
import type { AthenaCompiledQuery } from './athena-query-compiler.ts'
import { refuse } from './refusal.ts'
import type { RunSettings } from './run-settings.ts'

/** Runs built queries on an `Athena`; every query is one of its own, so there is nothing to connect to. */
export class AthenaDriver implements Driver {
  readonly #connection: AthenaConnection

  constructor(athena: Athena, settings: RunSettings) {
    this.#connection = new AthenaConnection(athena, settings)
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
  async beginTransaction(): Promise<void> {
    refuse('transactions', 'each statement stands for itself')
  }
  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}
}

class AthenaConnection implements DatabaseConnection {
  readonly #athena: Athena
  readonly #settings: RunSettings

  constructor(athena: Athena, settings: RunSettings) {
    this.#athena = athena
    this.#settings = settings
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { statement, outputs } = this.#statement(query)
    const columns = statedOutputs(outputs)
    if (columns === undefined) {
      const result = await this.#athena.queryText(statement)
      const { updateCount } = result
      return {
        rows: toldRows(result, outputs) as Row[],
        ...(updateCount !== undefined && { numAffectedRows: BigInt(updateCount) }),
      }
    }
    const { rows, queryExecutionId } = await this.#athena.query({ ...statement, columns })
    const promise = promisedRow(outputs!)
    if (promise) rows.forEach((row, index) => void promise(row as AnswerRow, index + 1, queryExecutionId))
    return { rows: rows as Row[] }
  }

  async *streamQuery<Row>(query: CompiledQuery, chunkSize = 1000): AsyncIterableIterator<QueryResult<Row>> {
    const { statement, outputs } = this.#statement(query)
    const columns = statedOutputs(outputs)
    if (columns === undefined) {
      const unknown = outputs?.filter(({ type }) => type === undefined).map(({ name }) => `'${name}'`)
      throw new ConfigurationError({
        code: 'STREAM_TYPES_UNKNOWN',
        message: `stream() decodes rows as they come, and the type of ${unknown?.join(', ') ?? 'the columns'} is not known beforehand: say it with stated(expression, t.int64()), or use execute().`,
      })
    }
    const promise = promisedRow(outputs!)
    let queryExecutionId = ''
    const onStart = (id: string) => {
      queryExecutionId = id
      statement.onStart?.(id)
    }
    let rowNumber = 0
    let chunk: Row[] = []
    for await (const row of this.#athena.stream({ ...statement, columns, onStart })) {
      rowNumber += 1
      chunk.push((promise ? promise(row as AnswerRow, rowNumber, queryExecutionId) : row) as Row)
      if (chunk.length < chunkSize) continue
      yield { rows: chunk }
      chunk = []
    }
    if (chunk.length > 0) yield { rows: chunk }
  }

  #statement(query: CompiledQuery) {
    const { allowFullScan: _, ...settings } = this.#settings
    const { sql, parameters, outputs } = query as Partial<AthenaCompiledQuery> & CompiledQuery
    return { statement: { ...settings, sql, parameters: parameters as readonly SqlValue[] }, outputs }
  }
}
