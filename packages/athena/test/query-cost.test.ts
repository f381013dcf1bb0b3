import { ConfigurationError, t } from '@stockpipe/core'
import { describe, expect, test } from 'vitest'
import { createAthena, type QueryFacts, ScanLimitError } from '../src/index.ts'
import { queryDollars } from '../src/query-cost.ts'
import { answering } from './fake-athena.ts'
import { fakeService, orderedRuntime } from './fake-service.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const megabyte = 1024 ** 2
const columns = { n: t.int64() }

describe('what a query costs', () => {
  const dollars = (scannedBytes: number, more: object = {}) =>
    queryDollars({
      StatementType: 'DML',
      Status: { State: 'SUCCEEDED' },
      Statistics: { DataScannedInBytes: scannedBytes },
      ...more,
    })

  test('goes by whole megabytes, ten of them at least', () => {
    expect(dollars(1024 ** 4)).toBe(5)
    expect(dollars(0)).toBe(dollars(10 * megabyte))
    expect(dollars(10 * megabyte + 1)).toBe(dollars(11 * megabyte))
    expect(dollars(11 * megabyte)).toBeCloseTo((5 * 11) / 1024 ** 2, 12)
    expect(queryDollars({ Statistics: { DataScannedInBytes: 1024 ** 4 } }, 6.75)).toBe(6.75)
  })

  test('is nothing for statements that scan nothing, failures, and results used again', () => {
    expect(dollars(0, { StatementType: 'DDL' })).toBe(0)
    expect(dollars(0, { StatementType: 'UTILITY' })).toBe(0)
    expect(dollars(1024 ** 3, { Status: { State: 'FAILED' } })).toBe(0)
    const reused = { Statistics: { ResultReuseInformation: { ReusedPreviousResult: true } } }
    expect(dollars(0, reused)).toBe(0)
  })
})

test('a limit that is no number is refused: it would be none', async () => {
  const { client, sent } = answering({ columns: { n: 'bigint' }, pages: [[]] })
  const athena = createAthena({ client, database: 'market', runtime: virtualRuntime() })
  const statement = { sql: 'SELECT 1 AS n', columns }
  await expect(athena.query({ ...statement, maxScannedBytes: Number.NaN })).rejects.toThrow(
    'maxScannedBytes is a number from 0 on, not NaN.',
  )
  await expect(athena.query({ ...statement, timeoutMillis: -1 })).rejects.toThrow(ConfigurationError)
  expect(sent).toEqual([])
  for (const options of [
    { maxScannedBytes: Number.NaN },
    { dollarsPerTerabyte: -5 },
    { poll: { initialMillis: 0 } }, // it would ask without a pause
    { poll: { maximumMillis: Number.NaN } },
  ]) {
    expect(() => createAthena({ client, database: 'market', ...options })).toThrow(ConfigurationError)
  }
})

test('CREATE TABLE AS and EXPLAIN ANALYZE cost what they scan', () => {
  const scanned = { DataScannedInBytes: 1024 ** 4 }
  const made = { StatementType: 'DDL', SubstatementType: 'CREATE_TABLE_AS_SELECT' } as const
  expect(queryDollars({ ...made, Statistics: scanned })).toBe(5)
  expect(queryDollars({ ...made, Statistics: { DataScannedInBytes: 0 } })).toBe(queryDollars({}))
  expect(queryDollars({ StatementType: 'UTILITY', SubstatementType: 'EXPLAIN', Statistics: scanned })).toBe(5)
})

test('what a query cost is told before its rows are read, also where they are streamed', async () => {
  const fake = answering({ columns: { n: 'bigint' }, pages: [[['1']], [['2']]] })
  const athena = createAthena({ client: fake.client, database: 'market', runtime: virtualRuntime() })
  const told: (string | QueryFacts)[] = []
  const onFacts = (facts: QueryFacts) => told.push(facts)
  for await (const { n } of athena.stream({ sql: 'SELECT n FROM t', columns, onFacts })) told.push(`${n}`)
  const facts = { queryExecutionId: 'q-1', scannedBytes: 4096, executionMillis: 120, reused: false }
  expect(told).toEqual([{ ...facts, dollars: (5 * 10) / 1024 ** 2 }, '1', '2'])
  await athena.execute({ sql: 'INSERT INTO t SELECT 1', onFacts })
  await athena.queryText({ sql: 'SELECT 1', onFacts })
  expect(told).toHaveLength(5)
})

test('a query that scans too much is stopped though it is to be left when given up, and no undefined lifts the limit', async () => {
  const runtime = orderedRuntime()
  const fake = fakeService({ runtime, runMillis: () => 60_000, scannedBytes: () => 2_000_001 })
  const athena = createAthena({
    client: fake.client,
    database: 'market',
    runtime,
    maxScannedBytes: 2_000_000,
  })
  const statement = { sql: 'SELECT 1 AS n', columns, onAbort: 'leave' } as const
  await expect(athena.query(statement)).rejects.toBeInstanceOf(ScanLimitError)
  const unset = { maxScannedBytes: undefined } as object
  await expect(athena.query({ ...statement, ...unset })).rejects.toBeInstanceOf(ScanLimitError)
  expect([...fake.queries.values()].map(({ state }) => state)).toEqual(['CANCELLED', 'CANCELLED'])
})

test('a query seen to scan more than it may is stopped and named, another is not', async () => {
  const runtime = orderedRuntime()
  const fake = fakeService({
    runtime,
    runMillis: () => 60_000,
    scannedBytes: (sql) => (sql.includes('1') ? 2_000_001 : 2_000_000),
  })
  const athena = createAthena({
    client: fake.client,
    database: 'market',
    runtime,
    maxScannedBytes: 2_000_000,
  })
  const greedy = athena.query({ sql: 'SELECT 1 AS n', columns })
  const modest = athena.query({ sql: 'SELECT 2 AS n', columns })
  await expect(greedy).rejects.toBeInstanceOf(ScanLimitError)
  await expect(greedy).rejects.toThrow(
    'Query q-1 has scanned 2000001 bytes, more than its maxScannedBytes, 2000000. Name fewer partitions or columns, or raise it.',
  )
  expect((await modest).rows).toEqual([{ n: 2n }])
  expect([...fake.queries.values()].map(({ state }) => state)).toEqual(['CANCELLED', 'SUCCEEDED'])
})

test('the age of results that may be used again and their encryption are sent', async () => {
  const started = async (options: object, statement: object = {}) => {
    const fake = answering({ columns: { n: 'bigint' }, pages: [[]] })
    const athena = createAthena({
      client: fake.client,
      database: 'market',
      runtime: virtualRuntime(),
      ...options,
    })
    await athena.query({ sql: 'SELECT n FROM t', columns, ...statement })
    return fake.sent[0]?.input
  }
  const reuse = (minutes: number) => ({
    ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: minutes },
  })
  expect(await started({}, { reuseMaxAgeMinutes: 60 })).toMatchObject({ ResultReuseConfiguration: reuse(60) })
  expect(await started({ reuseMaxAgeMinutes: 5 })).toMatchObject({ ResultReuseConfiguration: reuse(5) })
  const encryption = { option: 'SSE_KMS', kmsKey: 'alias/lake' } as const
  expect(await started({ encryption, outputLocation: 's3://results/' })).toMatchObject({
    ResultConfiguration: {
      OutputLocation: 's3://results/',
      EncryptionConfiguration: { EncryptionOption: 'SSE_KMS', KmsKey: 'alias/lake' },
    },
  })
  // A work group that manages its results takes no ResultConfiguration.
  expect(await started({})).not.toHaveProperty('ResultConfiguration')
})
