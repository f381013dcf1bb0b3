import { afterAll, beforeAll, expect, it } from 'vitest'
import type { StoredObject } from '../../src/object-storage.ts'
import { FolderStorage } from '../glue/folder-storage.ts'
import { AthenaLake } from './athena-lake.ts'

const columns = { price: 'double', size: 'bigint' }
const keys = { dt: 'string', symbol: 'int' }
const days = Array.from({ length: 100 }, (_, at) =>
  new Date(Date.UTC(2024, 0, 1 + at)).toISOString().slice(0, 10),
)
const symbols = Array.from({ length: 100 }, (_, at) => String(at))
const partitions = days.flatMap((dt) => symbols.map((symbol) => ({ dt, symbol })))
const table = { DatabaseName: 'market', TableName: 'trades' }
const where = { ...table, ExcludeColumnSchema: true }

const keyOf = (dt: string, symbol: string) => `trades/dt=${dt}/symbol=${symbol}/part-0.parquet`

/** The day, and the partition of another, that have files; of all others there are only the names, so that reading one fails. */
const day = '2024-03-01'
const single = { dt: '2024-02-29', symbol: '7' }

/** Lists an object for each partition. */
class NamedObjects extends FolderStorage {
  readonly #keys = partitions.map(({ dt, symbol }) => keyOf(dt, symbol)).sort()

  override async *listObjects(bucket: string, prefix: string): AsyncIterable<StoredObject> {
    this.listed.push(prefix)
    for (const key of this.#keys) {
      if (!key.startsWith(prefix)) continue
      const missing = { bucket, key, size: 1, etag: 'e', lastModified: 0, filePath: `${this.root}/missing` }
      yield (await this.findObject(bucket, key)) ?? missing
    }
  }
}

let lake: AthenaLake
let smallBytes: number
let largeBytes = 0
beforeAll(async () => {
  lake = await AthenaLake.open((root) => new NamedObjects(root))
  const rows = (count: number) =>
    `SELECT CAST(i AS DOUBLE) / 4 AS price, CAST(i AS BIGINT) AS size FROM range(${count}) AS r(i)`
  smallBytes = await lake.write(keyOf(single.dt, single.symbol), rows(1))
  for (const symbol of symbols) largeBytes += await lake.write(keyOf(day, symbol), rows(200))
  await lake.createTable('trades', columns, keys)
  const StorageDescriptor = lake.glue.catalog.requireTable('market', 'trades').StorageDescriptor
  for (let start = 0; start < partitions.length; start += 100) {
    const PartitionInputList = partitions.slice(start, start + 100).map(({ dt, symbol }) => ({
      Values: [dt, symbol],
      StorageDescriptor: {
        ...StorageDescriptor,
        Location: `s3://lake/trades/dt=${dt}/symbol=${symbol}/`,
      },
    }))
    const answer = await lake.glue.handle('BatchCreatePartition', { ...table, PartitionInputList })
    expect(answer['Errors']).toBeUndefined()
  }
  await lake.createTable('projected', columns, keys, {
    'projection.enabled': 'true',
    'projection.dt.type': 'date',
    'projection.dt.format': 'yyyy-MM-dd',
    'projection.dt.range': `${days[0]},${days.at(-1)}`,
    'projection.symbol.type': 'integer',
    'projection.symbol.range': '0,99',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Glue writes location templates so.
    'storage.location.template': 's3://lake/trades/dt=${dt}/symbol=${symbol}/',
  })
}, 60_000)
afterAll(async () => {
  await lake[Symbol.asyncDispose]()
})

async function list(request: Readonly<Record<string, unknown>> = {}): Promise<readonly string[]> {
  const found: string[] = []
  let NextToken: unknown
  do {
    const page = await lake.glue.handle('GetPartitions', { ...where, ...request, NextToken })
    const list = page['Partitions'] as { Values: string[] }[]
    expect(list.length).toBeLessThanOrEqual(1000)
    found.push(...list.map(({ Values }) => Values.join('/')))
    NextToken = page['NextToken']
  } while (NextToken !== undefined)
  return found
}
const all = partitions.map(({ dt, symbol }) => `${dt}/${symbol}`).sort()

it('10,000 partitions are each listed once, by pages', async () => {
  expect([...(await list())].sort()).toEqual(all)
})

it('10,000 partitions are each in one of ten segments', async () => {
  const found: string[] = []
  for (let SegmentNumber = 0; SegmentNumber < 10; SegmentNumber += 1) {
    const segment = await list({ Segment: { SegmentNumber, TotalSegments: 10 } })
    expect(segment.length).toBeGreaterThan(500)
    found.push(...segment)
  }
  expect(found.sort()).toEqual(all)
})

it('an expression prunes 10,000 partitions to those it holds for', async () => {
  const found = await list({ Expression: `dt = '${day}' AND symbol BETWEEN 8 AND 11` })
  expect([...found].sort()).toEqual(['10', '11', '8', '9'].map((symbol) => `${day}/${symbol}`))
})

it.each(['trades', 'projected'])("a query over one day of %s reads that day's files only", async (name) => {
  lake.storage.listed.length = 0
  const answer = await lake.query(
    `SELECT count(*), sum(size), count(DISTINCT "$path"), min("$path") FROM ${name} WHERE dt = '${day}'`,
  )
  const sum = (200 * 199) / 2
  expect(answer).toEqual({
    rows: [['20000', String(100 * sum), '100', `s3://lake/trades/dt=${day}/symbol=0/part-0.parquet`]],
    scannedBytes: largeBytes,
  })
  expect(lake.storage.listed).toEqual([`trades/dt=${day}/`])
})

it.each(['trades', 'projected'])('a query over one partition of %s reads one file', async (name) => {
  lake.storage.listed.length = 0
  const answer = await lake.query(
    `SELECT count(*) FROM ${name} WHERE symbol = ${single.symbol} AND dt = '${single.dt}'`,
  )
  expect(answer).toEqual({ rows: [['1']], scannedBytes: smallBytes })
  expect(lake.storage.listed).toEqual(['trades/dt=2024-02-29/symbol=7/'])
})

it('a query over the days around reads files that are only names, and fails', async () => {
  await expect(lake.query(`SELECT sum(size) FROM trades WHERE dt >= '${day}'`)).rejects.toThrowError(
    /HIVE_CANNOT_OPEN_SPLIT/,
  )
})

it.each(['trades', 'projected'])('a query over values that %s does not have reads nothing', async (name) => {
  lake.storage.listed.length = 0
  const answer = await lake.query(`SELECT count(*) FROM ${name} WHERE dt > '2025-01-01'`)
  expect(answer).toEqual({ rows: [['0']], scannedBytes: 0 })
  expect(lake.storage.listed).toEqual([])
})
