// What a million records cost in S3 requests, by the number of paths their rows go to: the sink of this package with its
// real engine over a store that counts. `node benchmarks/sink-requests.js` writes benchmarks/results/<date>-sink-requests.json
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildFast, install, root } from '../scripts/workspace.js'

const records = 1_000_000
const blockRecords = 10_000
/** Amazon S3 Standard in us-east-1, dollars a request. */
const dollars = { put: 0.005 / 1000, get: 0.0004 / 1000, free: 0 }
const prices = {
  putIfAbsent: dollars.put,
  createUpload: dollars.put,
  uploadPart: dollars.put,
  completeUpload: dollars.put,
  list: dollars.put,
  get: dollars.get,
  head: dollars.get,
}

await install('all')
await buildFast(['packages/core', 'packages/s3-sink'])
const { RecordBlockBuilder, defineTable, defineTopic, identity, t } = await import(
  '../packages/core/dist/index.js'
)
const { createSink } = await import('../packages/s3-sink/dist/index.js')

const trades = defineTable('trades', {
  columns: { symbol: t.string(), price: t.decimal(18, 4), size: t.int64(), ts: t.timestamp() },
  partitions: { ticker: identity('symbol') },
})

/** A store that keeps the journal and counts everything. */
class CountingStore {
  counts = {}
  uploadedBytes = 0
  #journal = new Map()
  #uploads = 0

  #count(operation) {
    this.counts[operation] = (this.counts[operation] ?? 0) + 1
  }

  async putIfAbsent(key, body) {
    this.#count('putIfAbsent')
    if (this.#journal.has(key)) return 'exists'
    this.#journal.set(key, body.slice())
    return 'created'
  }

  async createUpload() {
    this.#count('createUpload')
    this.#uploads += 1
    return { uploadId: `upload-${this.#uploads}` }
  }

  async uploadPart(_key, _uploadId, _partNumber, body) {
    this.#count('uploadPart')
    this.uploadedBytes += body.length
    return { etag: '"part"' }
  }

  async completeUpload() {
    this.#count('completeUpload')
    return 'completed'
  }

  async get(key) {
    this.#count('get')
    return this.#journal.get(key)
  }

  async *list(prefix) {
    this.#count('list')
    for (const key of [...this.#journal.keys()].filter((one) => one.startsWith(prefix)).sort())
      yield { key, size: 1, etag: '' }
  }
}

const text = new TextEncoder()

const measure = async ({ paths, partitions, groups, byPath }) => {
  const topic = defineTopic('trades', { table: trades, key: 'symbol', partitions })
  const store = new CountingStore()
  const sink = createSink({
    name: 'requests',
    topic,
    table: trades.at({ database: 'market', location: 's3://lake/trades/' }),
    store,
    cleaner: false,
    rotation: { ageMillis: 1e9 },
  })
  const logs = Array.from({ length: partitions }, (_, partition) => ({
    topic: topic.name,
    partition,
    next: 0n,
  }))
  await sink.assign(
    logs.map(({ partition }) => ({ topic: topic.name, partition, logStart: 0n, logEnd: 0n })),
    { generation: 1 },
  )
  store.counts = {}
  const perLog = records / partitions
  let made = 0
  for (let group = 0; group < groups; group += 1) {
    for (const log of logs) {
      for (let left = perLog / groups; left > 0; left -= blockRecords) {
        const count = Math.min(blockRecords, left)
        const builder = new RecordBlockBuilder({
          topic: topic.name,
          partition: log.partition,
          firstOffset: log.next,
        })
        for (let index = 0; index < count; index += 1) {
          made += 1
          // Keyed by the path, a path's records are all in one partition log.
          const path = byPath ? (made * partitions + log.partition) % paths : made % paths
          const value = `{"symbol":"S${path}","price":"${(100 + (made % 977) / 100).toFixed(2)}","size":${made % 500},"ts":"2026-03-02T15:${String(group % 60).padStart(2, '0')}:00Z"}`
          builder.add({
            offset: log.next,
            timestampMillis: 1_772_000_000_000,
            key: null,
            value: text.encode(value),
          })
          log.next += 1n
        }
        await sink.write(builder.finish(log.next))
      }
    }
    await sink.flush()
  }
  const requests = Object.entries(store.counts).reduce((sum, [, count]) => sum + count, 0)
  const price = Object.entries(store.counts).reduce(
    (sum, [operation, count]) => sum + count * (prices[operation] ?? 0),
    0,
  )
  await sink.close()
  return {
    paths,
    partitionLogs: partitions,
    groupsPerLog: groups,
    keyedByPath: byPath,
    files: store.counts.completeUpload,
    requests,
    dollarsPerMillion: Number(price.toPrecision(3)),
    meanFileKib: Math.round(store.uploadedBytes / store.counts.completeUpload / 1024),
    counts: store.counts,
  }
}

const results = []
for (const paths of [4, 80, 1000]) {
  for (const setting of [
    { partitions: 4, groups: 1, byPath: false },
    { partitions: 4, groups: 1, byPath: true },
    { partitions: 4, groups: 10, byPath: false },
  ]) {
    const result = await measure({ paths, ...setting })
    results.push(result)
    console.log(
      `figure: ${paths} paths, ${result.partitionLogs} partition logs, ${result.groupsPerLog} groups each${result.keyedByPath ? ', keyed by path' : ''}: ` +
        `${result.requests} requests, $${result.dollarsPerMillion} a million records, ${result.files} files of ${result.meanFileKib} KiB`,
    )
  }
}
mkdirSync(join(root, 'benchmarks/results'), { recursive: true })
const file = `benchmarks/results/${new Date().toISOString().slice(0, 10)}-sink-requests.json`
writeFileSync(
  join(root, file),
  `${JSON.stringify({ node: process.version, records, prices: 'S3 Standard, us-east-1', results }, null, 2)}\n`,
)
console.log(file)
