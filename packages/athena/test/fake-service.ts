import type { Runtime } from '@stockpipe/core'
import { columnInfo, fakeAthena, neverAnswered, type SentCommand, serviceException } from './fake-athena.ts'

/** A runtime whose timers fire in the order of their times, as soon as nothing else is to be done. */
export const orderedRuntime = (): Runtime => {
  interface Timer {
    readonly due: number
    readonly callback: () => void
  }
  let now = 0
  let firing = false
  let tokens = 0
  const timers = new Set<Timer>()
  const fire = () => {
    const next = [...timers].sort((left, right) => left.due - right.due)[0]
    firing = next !== undefined
    if (!next) return
    timers.delete(next)
    now = Math.max(now, next.due)
    next.callback()
    setImmediate(fire)
  }
  return {
    now: () => now,
    monotonic: () => now,
    setTimer(callback, delayMillis) {
      const timer = { due: now + delayMillis, callback }
      timers.add(timer)
      if (!firing) setImmediate(fire)
      firing = true
      return { cancel: () => void timers.delete(timer) }
    },
    random: () => 0.5,
    randomBytes: (length) => new Uint8Array(length).fill(++tokens),
  }
}

export interface FakeQuery {
  readonly sql: string
  endsAt: number
  isStopped: boolean
  state: 'RUNNING' | 'SUCCEEDED' | 'CANCELLED'
}

export interface FakeServiceOptions {
  readonly runtime: Runtime
  /** Queries it takes at once. */
  readonly limit?: number
  /** How long a query runs, by its text: seconds by default. */
  readonly runMillis?: (sql: string) => number
  /** What a query is said to have scanned, from its start on. */
  readonly scannedBytes?: (sql: string) => number
  /** How long a query that is stopped goes on. */
  readonly stopMillis?: number
  /** Whether it does what it is asked and never says so. */
  readonly hangs?: (command: SentCommand) => boolean
  /** What it throws instead of answering. */
  readonly refuses?: (command: SentCommand) => Error | undefined
  /** What is thrown although it has done what it was asked. */
  readonly losesAnswer?: (command: SentCommand) => Error | undefined
}

/** Athena with a clock: queries that run for a time, a limit of them, and one row that is the statement's number. */
export const fakeService = ({
  runtime,
  limit = 1e9,
  runMillis,
  scannedBytes,
  stopMillis = 0,
  hangs,
  refuses,
  losesAnswer,
}: FakeServiceOptions) => {
  const queries = new Map<string, FakeQuery>()
  const tokens = new Map<string, string>()
  let mostAtOnce = 0
  const settle = () => {
    for (const query of queries.values()) {
      if (query.state !== 'RUNNING' || runtime.monotonic() < query.endsAt) continue
      query.state = query.isStopped ? 'CANCELLED' : 'SUCCEEDED'
    }
    return [...queries.values()].filter(({ state }) => state === 'RUNNING').length
  }
  const executionOf = (id: string) => ({
    QueryExecutionId: id,
    StatementType: 'DML',
    SubstatementType: 'SELECT',
    Status: { State: queries.get(id)!.state },
    Statistics: { DataScannedInBytes: scannedBytes?.(queries.get(id)!.sql) ?? 0 },
  })
  const fake = fakeAthena((command, _, abortSignal) => {
    const refusal = refuses?.(command)
    if (refusal) throw refusal
    const answer = answerOf(command)
    if (hangs?.(command)) return neverAnswered(abortSignal)
    const lost = losesAnswer?.(command)
    if (lost) throw lost
    return answer
  })
  const answerOf = ({ operation, input }: SentCommand): object => {
    const running = settle()
    switch (operation) {
      case 'StartQueryExecution': {
        const known = tokens.get(input.ClientRequestToken)
        if (known) return { QueryExecutionId: known }
        if (running >= limit) {
          throw Object.assign(serviceException('TooManyRequestsException'), {
            Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED',
          })
        }
        const id = `q-${queries.size + 1}`
        tokens.set(input.ClientRequestToken, id)
        const sql = input.QueryString as string
        const endsAt = runtime.monotonic() + (runMillis?.(sql) ?? 1000)
        queries.set(id, { sql, endsAt, isStopped: false, state: 'RUNNING' })
        mostAtOnce = Math.max(mostAtOnce, running + 1)
        return { QueryExecutionId: id }
      }
      case 'GetQueryExecution':
        if (!queries.has(input.QueryExecutionId)) {
          throw serviceException(
            'InvalidRequestException',
            `QueryExecution ${input.QueryExecutionId} was not found`,
          )
        }
        return { QueryExecution: executionOf(input.QueryExecutionId) }
      case 'BatchGetQueryExecution': {
        const ids = input.QueryExecutionIds as string[]
        if (ids.length > 50 || new Set(ids).size < ids.length)
          throw serviceException('InvalidRequestException')
        return {
          QueryExecutions: ids.filter((id) => queries.has(id)).map(executionOf),
          UnprocessedQueryExecutionIds: ids
            .filter((id) => !queries.has(id))
            .map((QueryExecutionId) => ({ QueryExecutionId })),
        }
      }
      case 'StopQueryExecution': {
        const query = queries.get(input.QueryExecutionId)
        if (query?.state === 'RUNNING') {
          query.isStopped = true
          query.endsAt = runtime.monotonic() + stopMillis
        }
        settle()
        return {}
      }
      default: {
        const number = /\d+/.exec(queries.get(input.QueryExecutionId)!.sql)![0]
        return {
          ResultSet: {
            ResultSetMetadata: { ColumnInfo: [columnInfo('n', 'bigint')] },
            Rows: [{ Data: [{ VarCharValue: 'n' }] }, { Data: [{ VarCharValue: number }] }],
          },
        }
      }
    }
  }
  return {
    ...fake,
    queries,
    /** The most that ran at once. */
    mostAtOnce: () => mostAtOnce,
    running: () => settle(),
    calls: (operation: string) => fake.sent.filter((one) => one.operation === operation).length,
  }
}
