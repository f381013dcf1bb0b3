import type { ColumnInfo } from '@aws-sdk/client-athena'
import type { AthenaSender } from '../src/index.ts'

export interface SentCommand {
  readonly operation: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent
  readonly input: any
}

/** An exception as the SDK throws it: told apart by its name, without a code. */
export const serviceException = (name: string, message = `${name} was raised`): Error =>
  Object.assign(new Error(message), { name, $fault: 'client' })

/** What a call is that is not answered before it is aborted, as the SDK says it. */
export const neverAnswered = (abortSignal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) => {
    const abort = () => reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' }))
    abortSignal?.addEventListener('abort', abort, { once: true })
  })

/** A client whose answers come from `answer`; what it throws is thrown. `sent` lists every call. */
export const fakeAthena = (
  answer: (command: SentCommand, call: number, abortSignal?: AbortSignal) => object | undefined,
): { readonly client: AthenaSender; readonly sent: SentCommand[] } => {
  const sent: SentCommand[] = []
  const send = async (
    command: { constructor: { name: string }; input: object },
    options: { abortSignal?: AbortSignal } = {},
  ) => {
    const one = { operation: command.constructor.name.replace(/Command$/, ''), input: command.input }
    sent.push(one)
    return answer(one, sent.length, options.abortSignal) ?? {}
  }
  return { client: { send } as unknown as AthenaSender, sent }
}

/** `decimal(38,4)` or `bigint` as GetQueryResults describes it. */
export const columnInfo = (name: string, type: string): ColumnInfo => {
  const [, base = type, precision, scale] = /^(\w+)\((\d+),(\d+)\)$/.exec(type) ?? []
  return { Name: name, Label: name, Type: base, Precision: Number(precision ?? 0), Scale: Number(scale ?? 0) }
}

export interface ScriptedAnswer {
  readonly columns: Readonly<Record<string, string>>
  /** Pages of rows as text; undefined is NULL. The header row is added unless `header` is false. */
  readonly pages: readonly (readonly (readonly (string | undefined)[])[])[]
  readonly header?: boolean
  readonly statementType?: 'DDL' | 'DML' | 'UTILITY'
  readonly substatementType?: string | null
  /** More of what GetQueryExecution tells. */
  readonly execution?: object
  readonly updateCount?: number
}

/** A client that runs one query through QUEUED and RUNNING and answers what is scripted. */
export const answering = (script: ScriptedAnswer): ReturnType<typeof fakeAthena> => {
  const states = ['QUEUED', 'RUNNING', 'SUCCEEDED']
  let polls = 0
  return fakeAthena(({ operation, input }) => {
    if (operation === 'StartQueryExecution') return { QueryExecutionId: 'q-1' }
    if (operation === 'GetQueryExecution') {
      return {
        QueryExecution: {
          QueryExecutionId: 'q-1',
          StatementType: script.statementType ?? 'DML',
          ...(script.substatementType === null
            ? {}
            : { SubstatementType: script.substatementType ?? 'SELECT' }),
          Status: { State: states[Math.min(polls++, 2)] },
          Statistics: {
            DataScannedInBytes: 4096,
            TotalExecutionTimeInMillis: 120,
            EngineExecutionTimeInMillis: 90,
          },
          ...script.execution,
        },
      }
    }
    const page = Number(input.NextToken ?? 0)
    const names = Object.keys(script.columns)
    const rows = [...(page === 0 && script.header !== false ? [names] : []), ...(script.pages[page] ?? [])]
    return {
      ...(script.updateCount === undefined ? {} : { UpdateCount: script.updateCount }),
      ResultSet: {
        ResultSetMetadata: {
          ColumnInfo: Object.entries(script.columns).map(([name, type]) => columnInfo(name, type)),
        },
        Rows: rows.map((row) => ({
          Data: row.map((cell) => (cell === undefined ? {} : { VarCharValue: cell })),
        })),
      },
      ...(page + 1 < script.pages.length ? { NextToken: String(page + 1) } : {}),
    }
  })
}
