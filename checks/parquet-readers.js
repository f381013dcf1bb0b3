import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipCode } from '../lanes/lane.js'
import { buildFast, install, root } from '../scripts/workspace.js'

// Files of the engine in every compression, with every column type, nulls, nested columns, several pages and row groups,
// read by pyarrow: values, statistics, page indexes and sorting columns. Needs Python 3.11.
const lane = spawnSync(process.execPath, ['lanes/clients/start'], { cwd: root, encoding: 'utf8' })
if (lane.status === skipCode) {
  console.log(`skipped: ${lane.stderr.trim()}`)
  process.exit(0)
}
if (lane.status !== 0) throw new Error(`the lane of clients ended with ${lane.status}\n${lane.stderr}`)
const { python } = JSON.parse(lane.stdout)

await install('all')
await buildFast(['packages/core', 'packages/s3-sink'])
const { RecordBlockBuilder, createEncoder, defineTable, defineTopic, Decimal, json, t } = await import(
  '../packages/core/dist/index.js'
)
const { createEngine } = await import('../packages/s3-sink/dist/index.js')

const columns = {
  flag: t.boolean().nullable(),
  tiny: t.int8().nullable(),
  small: t.int16().nullable(),
  whole: t.int32().nullable(),
  long: t.int64().nullable(),
  single: t.float().nullable(),
  real: t.double().nullable(),
  price: t.decimal(9, 2).nullable(),
  amount: t.decimal(18, 4).nullable(),
  widest: t.decimal(38, 10).nullable(),
  text: t.string().nullable(),
  raw: t.binary().nullable(),
  born: t.date().nullable(),
  at: t.timestamp().nullable(),
  tags: t.list(t.string().nullable()).nullable(),
  fees: t.map(t.string(), t.int32()).nullable(),
  venue: t.struct({ name: t.string(), level: t.int32().nullable() }).nullable(),
  serial: t.int64(),
}
const table = defineTable('readers', { columns })
const topic = defineTopic('readers', { table, value: json() })
const encoder = createEncoder(topic)
const rows = 50_000
const noise = (index) => {
  const bits = Math.imul(index + 1, 0x9e3779b1)
  return Math.imul(bits ^ (bits >>> 15), 0x85ebca6b) >>> 0
}
const bytes = (length, value) => new Uint8Array(length).fill(value)
const row = (serial) => {
  const some = (salt, value) => (noise(serial * 31 + salt) % 9 === 0 ? null : value)
  const bits = noise(serial)
  return {
    flag: some(1, bits % 2 === 0),
    tiny: some(2, (bits % 256) - 128),
    small: some(3, (bits % 65_536) - 32_768),
    whole: some(4, bits | 0),
    long: some(5, BigInt(bits) * -2_000_000_000n),
    single: some(6, Math.fround(bits / 8)),
    real: some(7, bits / 3),
    price: some(8, Decimal.of(BigInt((bits % 2000) - 1000), 2)),
    amount: some(9, Decimal.of(BigInt(bits) * -1_000_003n, 4)),
    widest: some(10, Decimal.of(BigInt(bits) ** 3n, 10)),
    text: some(11, bits % 50 === 0 ? `é🐂 ${'x'.repeat(90)}${bits}` : `t${bits % 300}`),
    raw: some(12, bytes(bits % 40, bits)),
    born: some(13, `2${String(bits % 1000).padStart(3, '0')}-01-31`),
    at: some(14, new Date(1_700_000_000_000 + (bits % 100_000_000))),
    tags: some(
      15,
      Array.from({ length: bits % 4 }, (_, tag) => (tag === 2 ? null : `g${(bits >> tag) % 5}`)),
    ),
    fees: some(
      16,
      new Map(
        bits % 3 === 0
          ? []
          : [
              ['fee', bits % 7],
              ['tax', -1],
            ],
      ),
    ),
    venue: some(17, { name: `v${bits % 3}`, level: bits % 2 === 0 ? null : bits % 11 }),
    serial: BigInt(serial),
  }
}
/** A value as Python prints it in `parquet_files.py`. */
const told = (value) => {
  if (value === null) return 'null'
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toExponential(12)
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof Date) return String(value.getTime())
  if (value instanceof Decimal) return value.toString()
  if (Array.isArray(value)) return `[${value.map(told).join(',')}]`
  if (value instanceof Map) return `{${[...value].map(([key, one]) => `${key}:${told(one)}`).join(',')}}`
  return `(${Object.values(value).map(told).join(',')})`
}

const folder = mkdtempSync(join(tmpdir(), 'stockpipe-parquet-readers-'))
try {
  const all = Array.from({ length: rows }, (_, serial) => row(serial))
  writeFileSync(
    join(folder, 'rows.txt'),
    all
      .map((one) =>
        Object.keys(columns)
          .map((name) => told(one[name]))
          .join('\t'),
      )
      .join('\n'),
  )
  const files = []
  for (const compression of ['snappy', 'zstd', { codec: 'zstd', level: 19 }, 'gzip', 'none']) {
    for (const sortBy of [[], ['text', { column: 'whole', descending: true, nullsFirst: true }]]) {
      const parts = []
      const engine = createEngine({ topic: topic.toJSON(), compression, sortBy, rowGroupRows: 30_000 })
      for (let from = 0; from < rows; from += 10_000) {
        const builder = new RecordBlockBuilder({ topic: 'readers', partition: 0, firstOffset: BigInt(from) })
        for (let serial = from; serial < from + 10_000; serial += 1) {
          const { value } = encoder.encode(all[serial])
          builder.add({
            offset: BigInt(serial),
            timestampMillis: 0,
            key: null,
            value: typeof value === 'string' ? new TextEncoder().encode(value) : value,
          })
        }
        for (const answer of engine.handle({ kind: 'block', block: builder.finish(), from: 0n })) {
          if (answer.kind === 'rejected') throw new Error(answer.records[0].reason)
          if (answer.kind === 'part') parts.push(answer.bytes)
        }
      }
      const log = { topic: 'readers', partition: 0 }
      for (const answer of engine.handle({ kind: 'cut', log, start: 0n, next: BigInt(rows) })) {
        if (answer.kind === 'part') parts.push(answer.bytes)
      }
      const name = `${files.length}.parquet`
      writeFileSync(join(folder, name), Buffer.concat(parts))
      const codec = typeof compression === 'string' ? compression : compression.codec
      files.push({ name, codec, sorted: sortBy.length > 0 })
    }
  }
  writeFileSync(join(folder, 'files.json'), JSON.stringify(files))
  const program = join(root, 'lanes/clients/parquet_files.py')
  const { status } = spawnSync(python, ['-B', program, folder], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`parquet_files.py ended with ${status}`)
  console.log(
    `figure: ${files.length} files of ${rows} rows and ${Object.keys(columns).length} columns read equal by pyarrow`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
