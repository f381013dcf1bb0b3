import { day, defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { createSink, formatVerifyReport, verifySink } from '../src/index.ts'
import { readParquetFooter } from '../src/parquet-footer.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { ManualRuntime } from './sink/manual-runtime.ts'
import { MemoryBucket, MemoryObjectStore } from './sink/memory-object-store.ts'
import { dieAt } from './sink/mortal-process.ts'

const trades = defineTable('trades', {
  columns: { symbol: t.string(), size: t.int64(), ts: t.timestamp() },
  partitions: { trade_date: day('ts'), ticker: identity('symbol') },
})
const topic = defineTopic('trades', { table: trades, partitions: 2 })
const table = trades.at({ database: 'market', location: 's3://lake/trades/' })
const journal = 's3://lake/_stockpipe/journal/trades'

const tradeLog = (partition: number, count: number): FakeLog =>
  new FakeLog(partition, 'trades').append(
    ...Array.from({ length: count }, (_, index) =>
      JSON.stringify({ symbol: index % 2 ? 'MSFT' : 'AAPL', size: index, ts: '2024-03-08T15:00:00Z' }),
    ),
  )

const sinkOn = (store: MemoryObjectStore) =>
  createSink({ name: 'trades', topic, table, store, runtime: new ManualRuntime(3), rotation: { rows: 10 } })

/** What a healthy sink of two partition logs leaves: three groups and two. */
const healthy = async (): Promise<MemoryBucket> => {
  const store = new MemoryObjectStore()
  const sink = sinkOn(store)
  await consume(sink, [tradeLog(0, 24), tradeLog(1, 11).skip(4)], 5)
  await sink.close()
  return store.bucket
}

const verify = (bucket: MemoryBucket) => verifySink({ store: new MemoryObjectStore(bucket), journal })
const codes = async (bucket: MemoryBucket) => (await verify(bucket)).problems.map(({ code }) => code)
const rename = (bucket: MemoryBucket, from: string, to: string) => {
  bucket.objects.set(to, bucket.objects.get(from)!)
  bucket.objects.delete(from)
}

describe('verify', () => {
  it('reports the chains, files, holes and totals of a healthy sink', async () => {
    const report = await verify(await healthy())
    expect(report).toMatchObject({ ok: true, sink: 'trades', journal, problems: [], unknownFiles: [] })
    expect(report.logs).toMatchObject([
      { partition: 0, genesisStart: '0', next: '24', rows: 24, groups: 3, files: 6, settled: true },
      { partition: 1, next: '15', rows: 11, holeOffsets: '4', holes: [{ from: '11', to: '15' }] },
    ])
    expect(report.totals).toMatchObject({ logs: 2, groups: 5, records: 35, rows: 35, holeOffsets: '4' })
    expect(report.files.reduce((sum, { rows }) => sum + rows, 0)).toBe(35)
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
    const text = formatVerifyReport(report)
    expect(text).toContain('trades-1: offsets 0 to 15 in 2 groups, 11 rows in')
    expect(text).toContain('4 offsets without a record')
    expect(text.endsWith('everything holds\n')).toBe(true)
  })

  it('names a file that is gone, cut, replaced by another, or not ours', async () => {
    const files = (bucket: MemoryBucket) => bucket.keys('.parquet')
    const gone = await healthy()
    gone.objects.delete(files(gone)[0]!)
    expect((await verify(gone)).problems).toMatchObject([
      { code: 'FILE_MISSING', key: `s3://lake/${files(await healthy())[0]}` },
    ])

    const cut = await healthy()
    const object = cut.objects.get(files(cut)[0]!)!
    cut.objects.set(files(cut)[0]!, { ...object, bytes: object.bytes.slice(1) })
    expect(await codes(cut)).toEqual(['FILE_SIZE'])

    const overwritten = await healthy()
    const { bytes } = object
    overwritten.objects.set(files(overwritten)[0]!, { ...object, bytes: bytes.slice().fill(0) })
    expect(await codes(overwritten)).toEqual(['FILE_DAMAGED'])

    const doubled = await healthy()
    doubled.objects.set('trades/trade_date=2024-03-08/ticker=AAPL/copy.parquet', object)
    doubled.objects.set('trades/_temporary/copy.parquet', object)
    expect((await verify(doubled)).unknownFiles).toEqual([
      's3://lake/trades/trade_date=2024-03-08/ticker=AAPL/copy.parquet',
    ])
    expect(await codes(doubled)).toEqual(['FILE_UNKNOWN'])
  })

  it('finds a footer that tells other rows or another group than the entry', async () => {
    const bucket = await healthy()
    const [key] = bucket.keys('groups/trades/1/').filter((one) => one.endsWith('0000.json'))
    const text = bucket.text(key!)!
    const changed = text
      .replace(/"rows": 5,\n(\s+"bytes")/, '"rows": 4,\n$1')
      .replace(/"records": 10,\s+"rows": 10/, '"records": 9, "rows": 9')
      .replace('"offsets": "0"', '"offsets": "1"')
    bucket.objects.set(key!, { ...bucket.objects.get(key!)!, bytes: new TextEncoder().encode(changed) })
    expect(await codes(bucket)).toEqual(['FILE_ROWS'])
  })

  it('finds gaps, overlaps, entries taken away and what is no entry', async () => {
    const entries = (bucket: MemoryBucket) =>
      bucket.keys('groups/trades/0/').filter((key) => key.endsWith('.json'))
    const gap = await healthy()
    gap.objects.delete(entries(gap)[1]!)
    expect(await codes(gap)).toEqual(expect.arrayContaining(['CHAIN_GAP', 'FILE_UNKNOWN']))

    const late = await healthy()
    late.objects.delete(entries(late)[2]!)
    expect((await verify(late)).problems[0]!.message).toBe('trades-0: no group has the offsets 0 to 9.')

    const newest = await healthy()
    newest.objects.delete(entries(newest)[0]!)
    expect(await codes(newest)).toContain('ENTRY_MISSING')

    const renamed = await healthy()
    const [key] = entries(renamed)
    rename(renamed, key!, key!.replace(/20\.json/, '21.json'))
    expect(await codes(renamed)).toContain('JOURNAL_KEY_UNKNOWN')

    const genesis = await healthy()
    genesis.objects.delete('_stockpipe/journal/trades/genesis/trades/1.json')
    expect(await codes(genesis)).toEqual(['GENESIS_MISSING'])

    const damaged = await healthy()
    const object = damaged.objects.get(entries(damaged)[2]!)!
    damaged.objects.set(entries(damaged)[2]!, { ...object, bytes: object.bytes.slice(9) })
    expect(await codes(damaged)).toContain('JOURNAL_OBJECT_DAMAGED')
  })

  it('takes a claimed group whose uploads wait for pending, and for missing once they are gone', async () => {
    const count = new MemoryObjectStore()
    const undisturbed = sinkOn(count)
    await consume(undisturbed, [tradeLog(0, 10)], 5)
    await undisturbed.close()
    const at = count.calls.findIndex(({ operation }) => operation === 'completeUpload') + 1
    const store = new MemoryObjectStore()
    const { died } = dieAt(store, at, 'before')
    const sink = sinkOn(store)
    await consume(sink, [tradeLog(0, 10)], 5)
    void sink.close()
    await died
    const report = await verify(store.bucket)
    expect(report.problems).toEqual([])
    expect(report.logs[0]).toMatchObject({
      settled: false,
      pendingFiles: [expect.any(String), expect.any(String)],
    })
    store.bucket.uploads.clear()
    expect(await codes(store.bucket)).toEqual(['FILE_MISSING', 'FILE_MISSING'])
  })

  it('never says that a journal which is not there holds', async () => {
    expect(await codes(new MemoryBucket())).toEqual(['JOURNAL_EMPTY'])
  })
})

describe('the footer reader', () => {
  it('reads rows and key-value metadata, and refuses what is no Parquet file', async () => {
    const bucket = await healthy()
    const [key] = bucket.keys('.parquet')
    const { bytes } = bucket.objects.get(key!)!
    const footer = readParquetFooter(bytes)
    expect(footer.rows).toBe(5)
    expect(footer.keyValues.get('stockpipe.topic')).toBe('trades')
    expect(() => readParquetFooter(bytes.subarray(0, -1))).toThrow(
      expect.objectContaining({ code: 'PARQUET_DAMAGED' }),
    )
    expect(() => readParquetFooter(bytes.subarray(-40))).toThrow(
      expect.objectContaining({ code: 'PARQUET_DAMAGED' }),
    )
  })
})
