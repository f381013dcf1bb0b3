import { describe, expect, it } from 'vitest'
import { formatVerifyReport } from '../src/index.ts'
import { CompactionWorld, dayMillis, sizesOf } from './sink/compaction-fixture.ts'
import { ManualRuntime } from './sink/manual-runtime.ts'
import { MemoryObjectStore } from './sink/memory-object-store.ts'

const world = async (trades = 40): Promise<CompactionWorld> => {
  const made = new CompactionWorld().trade(trades)
  await made.sink()
  made.runtime.pass(2 * dayMillis)
  return made
}

describe('compaction', () => {
  it('makes one sorted file of the many of a closed partition, and switches the catalog to it', async () => {
    const made = await world()
    const before = made.bucket.keys('.parquet')
    expect(before).toHaveLength(14)
    const report = await made.compact()
    expect(report).toMatchObject({
      ok: true,
      partitions: [
        {
          partition: 'trade_date=2024-03-08/ticker=AAPL',
          outcome: 'compacted',
          before: { files: 7 },
          after: { files: 1, rows: 20 },
        },
        { partition: 'trade_date=2024-03-08/ticker=MSFT', outcome: 'compacted', after: { rows: 20 } },
      ],
    })
    expect(await made.seen()).toEqual(made.traded)
    // The former files are there until queries that have listed them are over.
    expect(made.bucket.keys('.parquet')).toEqual(expect.arrayContaining(before))
    for (const { location, parameters } of made.partitions.partitions.values()) {
      expect(location).toMatch(
        /^s3:\/\/lake\/stockpipe-compacted\/trades\/trade_date=2024-03-08\/ticker=(AAPL|MSFT)\/000001-[0-9a-f]{32}\/$/,
      )
      expect(parameters).toEqual({ 'stockpipe.compacted-by': 'trades' })
      const [key] = made.bucket.keys(location.slice('s3://lake/'.length))
      const sizes = await sizesOf(made.bucket.objects.get(key!)!.bytes)
      // The fixture's times descend as its sizes ascend.
      expect(sizes).toEqual(sizes.toSorted((left, right) => right - left))
    }
  })

  it('is proved by verify, before, after, and when the former files are removed', async () => {
    const made = await world()
    await made.compact()
    const after = await made.verify(true)
    expect(after.problems).toEqual([])
    expect(after.compactions).toMatchObject([
      { kind: 'compaction', generation: 1, state: 'switched', rows: 20, sourceFiles: 7, files: 1 },
      { state: 'switched', rows: 20 },
    ])
    expect(after.files.every(({ takenBy }) => takenBy === 'compaction')).toBe(true)
    // Queries that began before the switch may still read the former files.
    made.runtime.pass(dayMillis - 60_000)
    expect((await made.compact()).partitions.map(({ removedFiles }) => removedFiles)).toEqual([0, 0])
    made.runtime.pass(60_000)
    const removal = await made.compact()
    expect(removal.partitions.map(({ outcome, removedFiles }) => [outcome, removedFiles])).toEqual([
      ['unchanged', 7],
      ['unchanged', 7],
    ])
    expect(made.bucket.keys('.parquet')).toHaveLength(2)
    expect(await made.seen()).toEqual(made.traded)
    const removed = await made.verify(true)
    expect(removed.problems).toEqual([])
    expect(removed.totals.rows).toBe(40)
    expect(formatVerifyReport(removed)).toContain(
      '2 compactions of 14 files (2 removed), 40 rows before and after, in 2 files',
    )
    // There is nothing left to do.
    expect((await made.compact()).partitions.map(({ removedFiles }) => removedFiles)).toEqual([0, 0])
  })

  it('leaves rows that come later to be listed as unread, and takes them in the next time', async () => {
    const made = await world()
    await made.compact()
    made.trade(6)
    await made.sink(3)
    expect(await made.seen()).toEqual(made.traded.slice(0, 40))
    const report = await made.verify()
    expect(report.problems).toEqual([])
    expect(report.unreadFiles.reduce((rows, file) => rows + file.rows, 0)).toBe(6)
    expect(formatVerifyReport(report)).toContain('NOT READ BY QUERIES: 6 rows in')
    made.runtime.pass(2 * dayMillis)
    const again = await made.compact()
    expect(again.partitions).toMatchObject([
      { outcome: 'compacted', after: { files: 1, rows: 23 } },
      { outcome: 'compacted', after: { files: 1, rows: 23 } },
    ])
    expect(await made.seen()).toEqual(made.traded)
    const then = await made.verify(true)
    expect(then).toMatchObject({ problems: [], unreadFiles: [] })
    made.runtime.pass(2 * dayMillis)
    await made.compact()
    expect(made.bucket.keys('.parquet')).toHaveLength(2)
    expect(await made.seen()).toEqual(made.traded)
    expect((await made.verify(true)).problems).toEqual([])
  })

  it('leaves partitions that are young, unsettled, few or held elsewhere, and says why', async () => {
    const made = new CompactionWorld().trade(18)
    await made.sink()
    expect((await made.compact()).partitions).toMatchObject([
      { outcome: 'open', reason: expect.stringContaining('it was written to at') },
      { outcome: 'open' },
    ])
    made.runtime.pass(2 * dayMillis)
    const [markers] = [made.bucket.keys('.settled')]
    for (const key of markers) made.bucket.objects.delete(key)
    expect((await made.compact()).partitions).toMatchObject([
      { outcome: 'open', reason: expect.stringContaining('is not settled yet') },
      { outcome: 'open' },
    ])
    for (const key of markers)
      made.bucket.objects.set(key, { bytes: new Uint8Array(), etag: '', metadata: {}, contentType: '' })
    const [first] = made.partitions.partitions.keys()
    made.partitions.set(first!, { location: 's3://lake/elsewhere/', parameters: {} })
    const report = await made.compact()
    expect(report.ok).toBe(false)
    expect(report.partitions.map(({ outcome, reason }) => [outcome, reason ?? ''])).toEqual([
      ['refused', expect.stringContaining('the catalog has the partition at s3://lake/elsewhere/, not at')],
      ['compacted', ''],
    ])
    expect(made.bucket.keys('stockpipe-compacted')).toHaveLength(1)
  })

  it('never takes a partition in which there is a file of somebody else', async () => {
    const made = await world(12)
    const [key] = made.bucket.keys('.parquet')
    const copy = key!.replace(/[^/]+$/, 'copy.parquet')
    made.bucket.objects.set(copy, made.bucket.objects.get(key!)!)
    expect((await made.compact()).partitions).toMatchObject([
      {
        outcome: 'refused',
        reason: `${copy} is named by no group of this sink, and queries would not read it any more`,
      },
      { outcome: 'compacted' },
    ])
  })

  it('refuses a source whose bytes or rows are not what the journal says, and leaves nothing behind', async () => {
    const made = await world(12)
    const [one, other] = made.bucket.keys('ticker=AAPL/')
    made.bucket.objects.set(one!, made.bucket.objects.get(other!)!)
    const object = made.bucket.objects.get(one!)!
    made.bucket.objects.set(one!, { ...object, bytes: object.bytes.slice(0, -1) })
    expect((await made.compact()).partitions[0]).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining(one!),
    })
    expect(made.bucket.keys('stockpipe-compacted').filter((key) => key.includes('AAPL'))).toEqual([])
    expect([...made.bucket.uploads.values()]).toEqual([])
  })

  it('refuses only the partition in which a source has damaged pages, and names it', async () => {
    const made = await world(12)
    const [key] = made.bucket.keys('ticker=AAPL/')
    const object = made.bucket.objects.get(key!)!
    const bytes = object.bytes.map((byte, at) => (at > 3 && at < 60 ? byte ^ 0xff : byte))
    made.bucket.objects.set(key!, { ...object, bytes })
    expect((await made.compact()).partitions).toMatchObject([
      { outcome: 'refused', reason: expect.stringContaining(key!) },
      { outcome: 'compacted' },
    ])
    expect(await made.seen().catch(() => 'unreadable')).toBe('unreadable')
    expect(made.bucket.keys('stockpipe-compacted').filter((one) => one.includes('AAPL'))).toEqual([])
  })

  it.each<[string, (bytes: Uint8Array, other: Uint8Array) => Uint8Array]>([
    ['as other rows', (_, other) => other],
    ['damaged', (bytes) => bytes.map((byte, at) => (at < bytes.length / 2 && at > 3 ? byte ^ 0xff : byte))],
  ])('claims nothing when what it wrote reads back %s', async (_, changed) => {
    const made = await world(12)
    const other = made.bucket.objects.get(made.bucket.keys('.parquet')[0]!)!.bytes
    const store = new MemoryObjectStore(made.bucket)
    store.intercept = async (call, apply) => {
      const answer = await apply()
      const isNew = call.operation === 'get' && call.key.startsWith('stockpipe-compacted/')
      return isNew ? changed(answer as Uint8Array, other) : answer
    }
    await expect(made.compact(made.options(store))).rejects.toMatchObject({
      code: 'COMPACTION_DIFFERS',
      message: expect.stringContaining('trade_date=2024-03-08/ticker=AAPL/'),
    })
    expect(made.bucket.keys('stockpipe-compacted')).toEqual([])
    expect(made.bucket.keys('compactions/')).toEqual([])
  })

  it('lets one of two compactors claim, and the other delete what it made', async () => {
    const made = await world(12)
    const runtime = new ManualRuntime(7)
    runtime.pass(2 * dayMillis)
    const reports = await Promise.all([made.compact(), made.compact(made.options(undefined, runtime))])
    const outcomes = reports.flatMap(({ partitions }) => partitions.map(({ outcome }) => outcome))
    expect(outcomes).toContain('overtaken')
    expect(outcomes.filter((outcome) => outcome === 'compacted').length).toBeGreaterThanOrEqual(2)
    expect(made.bucket.keys('stockpipe-compacted')).toHaveLength(2)
    expect(await made.seen()).toEqual(made.traded)
    expect((await made.verify(true)).problems).toEqual([])
  })

  it('switches only by a look at the journal that is minutes old at most', async () => {
    const made = await world(12)
    const store = new MemoryObjectStore(made.bucket)
    let hung = 0
    let claimed = false
    store.intercept = (call, apply) => {
      claimed ||= call.operation === 'putIfAbsent'
      // The process hangs for ten minutes between its look at the generations and the update.
      if (claimed && (call.operation as string) === 'GetPartition' && hung < 1) {
        hung += 1
        made.runtime.pass(10 * 60_000)
      }
      return apply()
    }
    await made.compact(made.options(store))
    expect(hung).toBe(1)
    // It was not sent on the old look, but on a second one.
    expect(store.calls.filter(({ operation }) => (operation as string) === 'UpdatePartition')).toHaveLength(2)
    expect(
      store.calls.filter(({ operation }) => (operation as string) === 'GetPartition').length,
    ).toBeGreaterThan(6)
    expect(await made.seen()).toEqual(made.traded)
    expect((await made.verify(true)).problems).toEqual([])
  })

  it('says what is wrong when a compacted file is gone, changed, joined by another, or comes back', async () => {
    const made = await world(12)
    const former = new Map(made.bucket.objects)
    await made.compact()
    const codes = async () => (await made.verify(true)).problems.map(({ code }) => code)
    const [key] = made.bucket.keys('stockpipe-compacted')
    const object = made.bucket.objects.get(key!)!
    made.bucket.objects.delete(key!)
    expect(await codes()).toEqual(['FILE_MISSING'])
    made.bucket.objects.set(key!, { ...object, etag: 'other' })
    expect(await codes()).toEqual(['FILE_CHANGED'])
    made.bucket.objects.set(key!, object)
    made.bucket.objects.set(key!.replace('part-00000', 'copy'), object)
    expect(await codes()).toEqual(['FILE_UNKNOWN'])
    made.bucket.objects.delete(key!.replace('part-00000', 'copy'))
    made.runtime.pass(2 * dayMillis)
    await made.compact()
    const [back] = [...former.keys()].filter((one) => one.endsWith('.parquet'))
    made.bucket.objects.set(back!, former.get(back!)!)
    expect(await codes()).toEqual(['FILE_RETURNED'])
  })

  it('is told by verify of every byte of rows that is flipped, whatever the store says of the file', async () => {
    const made = await world(12)
    await made.compact()
    const [key] = made.bucket.keys('stockpipe-compacted')
    const object = made.bucket.objects.get(key!)!
    const { bytes } = object
    const footer =
      bytes.length - 8 - new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8).getUint32(0, true)
    const sizes = await sizesOf(bytes)
    let found = 0
    for (let at = 4; at < footer; at += 1) {
      const changed = bytes.slice()
      changed[at]! ^= 1 << (at % 8)
      made.bucket.objects.set(key!, { ...object, bytes: changed })
      const { problems } = await made.verify(true)
      if (problems.length > 0) {
        found += 1
        expect(['FILE_CONTENT', 'FILE_DAMAGED', 'FILE_ROWS']).toContain(problems[0]!.code)
      } else expect(await sizesOf(changed)).toEqual(sizes)
    }
    // The others are of page headers and the page index, which the same rows are read without.
    expect(found).toBeGreaterThan(100)
    made.bucket.objects.set(key!, object)
    expect((await made.verify(true)).problems).toEqual([])
  })

  it('refuses a journal that does not hold, and folders that readers would meet', async () => {
    const made = await world(12)
    await expect(made.compact({ compactedLocation: 's3://lake/trades/compacted/' })).rejects.toMatchObject({
      code: 'COMPACTED_LOCATION_INVALID',
    })
    await expect(made.compact({ compactedLocation: 's3://lake/_stockpipe/' })).rejects.toMatchObject({
      code: 'COMPACTED_LOCATION_INVALID',
    })
    await expect(made.compact({ sortBy: ['nothing'] })).rejects.toMatchObject({
      code: 'SORT_COLUMN_UNSUITED',
    })
    const [entry] = made.bucket
      .keys('groups/')
      .filter((key) => key.endsWith('.json'))
      .slice(1)
    made.bucket.objects.delete(entry!)
    await expect(made.compact()).rejects.toMatchObject({ code: 'CHAIN_GAP' })
  })

  it('takes files whose entries were pruned, by their names, and verify goes on holding when others are', async () => {
    const made = await world()
    made.runtime.pass(40 * dayMillis)
    await made.prune()
    expect(made.bucket.keys('checkpoints/')).toHaveLength(1)
    expect((await made.compact()).partitions).toMatchObject([
      { outcome: 'compacted', after: { rows: 20 } },
      { outcome: 'compacted', after: { rows: 20 } },
    ])
    expect(await made.seen()).toEqual(made.traded)
    expect((await made.verify(true)).problems).toEqual([])
    made.trade(20)
    await made.sink()
    made.runtime.pass(40 * dayMillis)
    await made.compact()
    made.runtime.pass(2 * dayMillis)
    await made.compact()
    await made.prune()
    expect(await made.seen()).toEqual(made.traded)
    expect((await made.verify(true)).problems).toEqual([])
  })

  it.each([2500, 3000, 4000])('leaves files of %i bytes alone once it has made them', async (fileBytes) => {
    const made = await world(240)
    const settings = { rowBytes: 100, fileBytes, compression: 'none' } as const
    await made.compact(settings)
    expect(made.bucket.keys('stockpipe-compacted').length).toBeGreaterThan(2)
    made.runtime.pass(2 * dayMillis)
    expect((await made.compact(settings)).partitions.map(({ outcome }) => outcome)).toEqual([
      'unchanged',
      'unchanged',
    ])
  })

  it('takes what fits into its memory at a time, and loses nothing by it', async () => {
    const made = await world(60)
    await made.compact({ rowBytes: 100, fileBytes: 2500 })
    expect(made.bucket.keys('stockpipe-compacted').length).toBeGreaterThan(2)
    expect(await made.seen()).toEqual(made.traded)
    expect((await made.verify(true)).problems).toEqual([])
  })

  it('refuses a partition that there is no room to sort, and leaves nothing of it', async () => {
    const made = await world(60)
    const before = made.bucket.keys()
    const report = await made.compact({ rowBytes: 100, temporaryFolder: '/nowhere' })
    expect(report.partitions).toMatchObject([
      {
        outcome: 'refused',
        reason: expect.stringMatching(/temporary file in .nowhere: .*Set temporaryFolder/),
      },
      { outcome: 'refused' },
    ])
    expect(made.bucket.keys()).toEqual(before)
  })

  it('removes nothing while the catalog has the partition elsewhere, as a late update may leave it', async () => {
    const made = await world(12)
    const before = new Map(made.partitions.partitions)
    await made.compact()
    for (const [key, partition] of before) made.partitions.set(key, partition)
    made.runtime.pass(2 * dayMillis)
    const files = made.bucket.keys('.parquet')
    expect((await made.compact()).partitions).toMatchObject([
      {
        outcome: 'refused',
        reason: expect.stringContaining('the catalog has the partition at s3://lake/trades/'),
      },
      { outcome: 'refused' },
    ])
    expect(made.bucket.keys('.parquet')).toEqual(files)
    expect(await made.seen()).toEqual(made.traded)
  })

  it('takes in late rows with the next run, however often others come', async () => {
    const made = await world(12)
    await made.compact()
    for (let hour = 0; hour < 30; hour += 1) {
      made.trade(1)
      await made.sink(3)
      made.runtime.pass(60 * 60_000)
      expect((await made.compact()).partitions.map(({ outcome }) => outcome)).toContain('compacted')
      expect(await made.seen()).toEqual(made.traded)
    }
    expect(await made.verify(true)).toMatchObject({ problems: [], unreadFiles: [] })
  })

  it('leaves an hour between a switch and the next claim, in which a switch that hung may arrive', async () => {
    const made = await world(12)
    await made.compact()
    made.trade(6)
    await made.sink(3)
    made.runtime.pass(59 * 60_000)
    expect((await made.compact({ olderThanMillis: 0 })).partitions).toMatchObject([
      { outcome: 'open', reason: expect.stringContaining('it was switched at') },
      { outcome: 'open' },
    ])
    made.runtime.pass(60_000)
    expect((await made.compact({ olderThanMillis: 0 })).partitions[0]).toMatchObject({ outcome: 'compacted' })
  })
})
