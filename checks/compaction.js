import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'
import { s3Client } from './stack/plain-clients.js'
import { Random, seedFrom } from './stack/random.js'
import { startStack, within } from './stack/stack-process.js'

// Compaction of many small files while queries run: compactors are killed with -9, interrupted, and run beside each other, rows come
// late in between, former files are removed. Every query of the local Athena sees every row of each partition once, as
// before or as after, and `verify` holds all along. `node checks/compaction.js [files] [seed]`
const files = Number(process.argv[2] ?? 1000)
const random = new Random(seedFrom(process.argv[3]))
const rounds = 3
const graceSeconds = 30
const rowsOfFile = 10
await install('all')
await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
const { RecordBlockBuilder, t } = await import('../packages/core/dist/index.js')
const { createPartitionRegistrar, ensureDatabase, ensureTable } = await import(
  '../packages/glue/dist/index.js'
)
const { createSink, formatVerifyReport, journalOfSink, verifySink } = await import(
  '../packages/s3-sink/dist/index.js'
)
const { createAthena } = await import('../packages/athena/dist/index.js')
const { bucket, clientsOf, days, sinkOptions, table } = await import('./compaction/ticks-table.js')

const command = join(root, 'packages/cli/dist/stockpipe.js')
const config = join(root, 'checks/compaction/config.js')
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-compaction-'))
const stack = await startStack({ dataDir: join(dataDir, 'stack'), kafkaPort: 0, httpPort: 0 })
const { aws } = stack
const env = {
  ...process.env,
  AWS_ENDPOINT_URL: aws.endpoint,
  AWS_ACCESS_KEY_ID: aws.accessKeyId,
  AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
}
const clients = clientsOf(aws)
const children = new Set()
const deviations = []
const deviates = (what) => {
  if (deviations.length < 20) deviations.push(what)
}

/** What each day holds: rows that were written so far, and those that queries read at the last switch. */
const facts = (ids) => ({
  count: BigInt(ids.length),
  sum: ids.reduce((sum, id) => sum + id, 0n),
  mixed: ids.reduce((sum, id) => sum + ((id * 7919n) % 1_000_003n), 0n),
})
const written = new Map(days.map((day) => [day, []]))
/** Answers a query of a day may give: before the compaction under way, and after it. */
const allowed = new Map(days.map((day) => [day, []]))
const allow = () => {
  for (const day of days) allowed.get(day).push(facts(written.get(day)))
}

const dayOf = (offset) => days[Number(offset % BigInt(days.length))]
const recordAt = (offset) => {
  const value = {
    id: String(offset),
    symbol: `S${offset % 17n}`,
    price: `${offset % 1000n}.${String(offset % 10_000n).padStart(4, '0')}`,
    huge: offset % 5n === 0n ? null : `${offset}12345678901234567890.000001`,
    // Not in the order of the offsets, so that there is something to sort.
    ts: new Date(Date.parse(`${dayOf(offset)}T00:00:00Z`) + Number((offset * 7919n) % 86_400_000n)),
    tags: offset % 3n === 0n ? [] : [`t${offset % 4n}`, 'x'],
  }
  return { offset, timestampMillis: 1_709_800_000_000, key: null, value: Buffer.from(JSON.stringify(value)) }
}

/** The offset of the next record. */
let next = 0n
let sinks = 0
/** Has a sink write `count` files to each day, a group each. */
const write = async (count) => {
  sinks += 1
  writing = true
  const sink = createSink({
    ...sinkOptions(clients),
    registrar: createPartitionRegistrar({ client: clients.glue, table }),
    rotation: { rows: rowsOfFile * days.length },
  })
  const end = next + BigInt(count * rowsOfFile * days.length)
  // The position is that of the last record, which a sink compares with what it knows of it.
  const [position] = await sink.assign([{ topic: 'ticks', partition: 0, logStart: 0n, logEnd: end }], {
    generation: sinks,
  })
  for (let at = position.offset; at < end; ) {
    const builder = new RecordBlockBuilder({ topic: 'ticks', partition: 0, firstOffset: at })
    const to = at < next ? next : at + BigInt(rowsOfFile * days.length)
    for (; at < to; at += 1n) builder.add(recordAt(at))
    await sink.write(builder.finish(to))
    // A group each, however busy the machine is.
    await sink.flush()
  }
  for (; next < end; next += 1n) written.get(dayOf(next)).push(next)
  await sink.close()
  writing = false
}
let writing = false

const athena = createAthena({
  client: clients.athena,
  database: 'market',
  outputLocation: `s3://${bucket}-results/`,
})
const sql = `SELECT trade_date, count(*) AS rows_seen, count(DISTINCT id) AS ids, sum(id) AS total,
  sum(id * 7919 % 1000003) AS mixed FROM ticks GROUP BY trade_date`
const columns = {
  trade_date: t.string(),
  rows_seen: t.int64(),
  ids: t.int64(),
  total: t.int64(),
  mixed: t.int64(),
}
let queries = 0
const ask = async () => {
  // What was allowed when it began, and whatever has come to be until it ended.
  const oldest = Math.max(0, allowed.get(days[0]).length - (settled ? 1 : 2))
  const { rows } = await athena.query({ sql, columns })
  for (const day of days) {
    const row = rows.find(({ trade_date }) => trade_date === day)
    const answers = allowed.get(day).slice(oldest)
    const right = answers.some(
      ({ count, sum, mixed }) =>
        row?.rows_seen === count && row.ids === count && row.total === sum && row.mixed === mixed,
    )
    if (!right)
      deviates(
        `a query saw ${row?.rows_seen} rows with ${row?.ids} ids of ${day}; ${answers.map(({ count }) => count).join(' or ')} were right`,
      )
  }
  queries += 1
}
/** True while no compaction is under way, so that only the newest answer is right. */
let settled = true

const journal = journalOfSink(sinkOptions(clients))
let verifies = 0
const verify = async (content = false) => {
  const before = sinks
  const quiet = !writing
  const report = await verifySink({ ...journal, content })
  // Files that a running sink has just published look unknown.
  if (quiet && !writing && before === sinks && !report.ok) deviates(formatVerifyReport(report).slice(-2000))
  verifies += 1
  return report
}

let running = true
const repeat = async (work) => {
  while (running && deviations.length === 0) {
    await work().catch((error) => deviates(`${work.name} failed: ${error.stack}`))
  }
}

const compactor = () => {
  const child = spawn(
    process.execPath,
    [command, 'compact', '--config', config, '--older-than', '0s', '--grace', `${graceSeconds}s`, '--json'],
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  children.add(child)
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  const ended = new Promise((resolve) =>
    child.on('close', (code, signal) => {
      children.delete(child)
      resolve({ code: code ?? signal, out, err })
    }),
  )
  return { child, end: () => within(ended, 300_000, 'stockpipe compact') }
}
let kills = 0
let interrupts = 0
/** How long a compactor lives, as far as is known: kills come within it. */
let lifeMillis = 2000
const killed = async () => {
  const begun = performance.now()
  const one = compactor()
  const signal = ['SIGKILL', 'SIGKILL', 'SIGINT', 'SIGTERM'][random.below(4)]
  // Signals that can be handled come once the command listens.
  const least = signal === 'SIGKILL' ? 100 : lifeMillis / 2
  const timer = setTimeout(() => one.child.kill(signal), least + random.below(lifeMillis))
  const { code, err } = await one.end()
  clearTimeout(timer)
  if (code === signal) {
    if (signal === 'SIGKILL') kills += 1
    lifeMillis *= 1.5
  } else if (code === 130) {
    interrupts += 1
    if (!err.includes('interrupted.')) deviates(`an interrupted compactor said ${err}`)
  } else {
    lifeMillis = performance.now() - begun
    if (code !== 0) deviates(`a compactor ended with ${code}: ${err}`)
  }
}
const compacted = async () => {
  const { code, out, err } = await compactor().end()
  if (code !== 0) throw new Error(`stockpipe compact ended with ${code}:\n${out}\n${err}`)
  return JSON.parse(out)
}
const parquetFiles = async () => {
  let count = 0
  let token
  do {
    const page = await clients.s3.send(
      new s3Client.ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }),
    )
    count += (page.Contents ?? []).filter(({ Key }) => Key.endsWith('.parquet')).length
    token = page.NextContinuationToken
  } while (token)
  return count
}

let loops
try {
  for (const Bucket of [bucket, `${bucket}-results`])
    await clients.s3.send(new s3Client.CreateBucketCommand({ Bucket }))
  await ensureDatabase({ client: clients.glue, database: 'market' })
  await ensureTable({ client: clients.glue, table })
  await write(Math.ceil(files / days.length))
  allow()
  const begun = await parquetFiles()
  if (begun < files) throw new Error(`there are only ${begun} files`)
  loops = Promise.all([repeat(ask), repeat(ask), repeat(verify)])
  for (let round = 1; round <= rounds && deviations.length === 0; round += 1) {
    if (round > 1) {
      // Queries read these after the next compaction only.
      await write(Math.max(1, Math.ceil(files / days.length / 20)))
      const { unreadFiles } = await verify()
      if (unreadFiles.length === 0) deviates('verify does not tell of the rows that came late')
      settled = false
      allow()
    }
    for (let kill = 0; kill < 8; kill += 1) await killed()
    // Two at once; then one alone, that finishes what may be left.
    await Promise.all([compacted(), compacted()])
    await compacted()
    settled = true
    for (let more = 0; more < 3; more += 1) await ask()
    const { unreadFiles } = await verify(true)
    if (unreadFiles.length > 0) deviates(`${unreadFiles.length} files are not read after round ${round}`)
    console.log(
      `round ${round}: ${await parquetFiles()} files, ${queries} queries, ${verifies} verifies, ${kills} kills`,
    )
  }
  // The grace time is over, so that the former files go while queries run; one remover is killed.
  await new Promise((resolve) => setTimeout(resolve, graceSeconds * 1000 + 1000))
  await killed()
  await compacted()
  for (let more = 0; more < 3; more += 1) await ask()
  const last = await verify(true)
  running = false
  await loops
  const left = await parquetFiles()
  const current = new Map(last.compactions.map(({ partition, files: count }) => [partition, count]))
  const expected = [...current.values()].reduce((sum, count) => sum + count, 0)
  if (left !== expected) deviates(`${left} files are left, not ${expected}`)
  if (!last.compactions.every(({ state }) => state === 'removed')) deviates('former files are left')
  if (queries < 10 || verifies < 10) deviates(`only ${queries} queries and ${verifies} verifies were made`)
  if (kills < 3) deviates(`only ${kills} compactors were killed`)
  const rows = [...written.values()].reduce((sum, ids) => sum + ids.length, 0)
  console.log(
    `figure: ${begun} files and ${rounds - 1} rounds of late ones became ${left}, ${rows} rows, under ${queries} queries and ${verifies} verifies with ${kills} kills -9 and ${interrupts} interrupts: ${deviations.length} deviations`,
  )
} finally {
  running = false
  await loops?.catch(() => {})
  for (const child of children) child.kill('SIGKILL')
  clients.destroy()
  await stack.end('SIGTERM')
  rmSync(dataDir, { recursive: true, force: true })
}
for (const deviation of deviations) console.error(deviation)
if (deviations.length > 0) process.exit(1)
