import { t } from '@stockpipe/core'
import { describe, expect, test } from 'vitest'
import { createAthena, ScanLimitError } from '../src/index.ts'
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
