import { day, defineTable, defineTopic, identity, t } from '@stockpipe/core'
import {
  type CompactionAccessOptions,
  type CompactOptions,
  compactPartitions,
  createSink,
  pruneJournal,
  type RetireOptions,
  retirePartitions,
  verifySink,
} from '../../src/index.ts'
import { readParquetRows } from '../../src/parquet-rows.ts'
import { consume, FakeLog } from './fake-log.ts'
import { ManualRuntime } from './manual-runtime.ts'
import { MemoryPartitions, memoryCatalog } from './memory-catalog.ts'
import { MemoryBucket, MemoryObjectStore } from './memory-object-store.ts'

export const trades = defineTable('trades', {
  columns: { symbol: t.string(), size: t.int64(), ts: t.timestamp() },
  partitions: { trade_date: day('ts'), ticker: identity('symbol') },
})
export const tradesTopic = defineTopic('trades', { table: trades, partitions: 2 })
export const tradesTable = trades.at({ database: 'market', location: 's3://lake/trades/' })
export const tradesJournal = 's3://lake/_stockpipe/journal/trades'
export const dayMillis = 24 * 60 * 60_000

/** A bucket and a catalog that a sink and compactors share, with a log of trades that grows. */
export class CompactionWorld {
  readonly bucket = new MemoryBucket()
  readonly partitions = new MemoryPartitions()
  readonly runtime: ManualRuntime
  logs = [new FakeLog(0, 'trades'), new FakeLog(1, 'trades')]
  #size = 0

  constructor(seed = 1) {
    this.runtime = new ManualRuntime(seed)
  }

  /** Another world in which the same has happened; `trade` adds to the logs of both. */
  copy(): CompactionWorld {
    const copy = new CompactionWorld(2)
    copy.runtime.pass(this.runtime.now() - copy.runtime.now())
    copy.logs = this.logs
    copy.#size = this.#size
    copy.bucket.uploadsMade = this.bucket.uploadsMade
    for (const [key, object] of this.bucket.objects) copy.bucket.objects.set(key, object)
    for (const [id, upload] of this.bucket.uploads)
      copy.bucket.uploads.set(id, { ...upload, parts: new Map(upload.parts) })
    for (const [key, partition] of this.partitions.partitions) copy.partitions.partitions.set(key, partition)
    for (const [key, locations] of this.partitions.history) copy.partitions.history.set(key, locations)
    return copy
  }

  /** `count` trades on one day, later ones first, into a log; by turns of the tickers. */
  trade(count: number, log = 0, date = '2024-03-08', tickers = ['MSFT', 'AAPL']): this {
    for (let index = 0; index < count; index += 1) {
      this.#size += 1
      const ts = `${date}T15:${(59 - (this.#size % 60)).toString().padStart(2, '0')}:00Z`
      const symbol = tickers[index % tickers.length]
      this.logs[log]!.append(JSON.stringify({ symbol, size: this.#size, ts }))
    }
    return this
  }

  get tradeCount(): number {
    return this.#size
  }

  /** Has the sink write everything, in groups of `rows`. */
  async sink(rows = 4): Promise<void> {
    const store = new MemoryObjectStore(this.bucket)
    const sink = createSink({
      name: 'trades',
      topic: tradesTopic,
      table: tradesTable,
      store,
      runtime: this.runtime,
      registrar: memoryCatalog(this.partitions, store),
      rotation: { rows },
    })
    await consume(sink, this.logs, 3)
    await sink.close()
  }

  options(store = new MemoryObjectStore(this.bucket), runtime = this.runtime): CompactionAccessOptions {
    return {
      journal: tradesJournal,
      table: tradesTable,
      store,
      runtime,
      catalog: memoryCatalog(this.partitions, store, () => runtime.now()),
    }
  }

  compact(options: Partial<CompactOptions> = {}) {
    return compactPartitions({ ...this.options(), ...options })
  }

  retire(options: Partial<RetireOptions> = {}) {
    return retirePartitions({ ...this.options(), partitions: () => true, ...options })
  }

  prune() {
    const store = new MemoryObjectStore(this.bucket)
    return pruneJournal({ journal: tradesJournal, store, runtime: this.runtime })
  }

  verify(content = false) {
    return verifySink({
      store: new MemoryObjectStore(this.bucket),
      journal: tradesJournal,
      table: tradesTable,
      content,
    })
  }

  /** What queries see: the sizes of the trades in every file of every partition's location, sorted. */
  async seen(): Promise<number[]> {
    const sizes: number[] = []
    for (const { location } of this.partitions.partitions.values()) {
      const prefix = location.slice('s3://lake/'.length)
      for (const key of this.bucket.keys().filter((one) => one.startsWith(prefix)))
        sizes.push(...(await sizesOf(this.bucket.objects.get(key)!.bytes)))
    }
    return sizes.sort((left, right) => left - right)
  }

  /** What was traded. */
  get traded(): number[] {
    return Array.from({ length: this.#size }, (_, index) => index + 1)
  }
}

/** The sizes of a file's trades, in their order. */
export const sizesOf = async (bytes: Uint8Array): Promise<number[]> => {
  const sizes: number[] = []
  for await (const { columns } of readParquetRows(trades.columns, bytes)) {
    const [, size] = columns
    if (size?.kind === 'int64') sizes.push(...Array.from(size.values, Number))
  }
  return sizes
}
