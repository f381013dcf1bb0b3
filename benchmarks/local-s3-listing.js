import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'

// The embedded S3 in a process of its own, one AWS SDK in this one: puts a second, and the time and memory it takes to
// list 100,000 objects of files put there by hand, again, and right after a restart; beside it, what plain Node takes
// to read the names and sizes of the same files. --save writes benchmarks/results/<date>-local-s3-listing.json;
// --share 0.1 does a tenth of everything; exits with 1 when a figure is missed. --built takes dist as it is.
const { values } = parseArgs({
  options: {
    share: { type: 'string', default: '1' },
    save: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
  },
})
const share = Number(values.share)
if (!(share > 0 && share <= 1)) throw new Error('--share takes a number above 0, at most 1')
const wanted = { listSeconds: 15, byHandSeconds: 30, memoryMegabytes: 300 }
const objects = Math.round(100_000 * share)
const puts = Math.round(5_000 * share)

if (!values.built) {
  await install('all')
  await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
}
const { CreateBucketCommand, paginateListObjectsV2, PutObjectCommand, S3Client } = createRequire(
  join(root, 'packages/local/package.json'),
)('@aws-sdk/client-s3')
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-benchmark-'))

/** Starts the stack over the data directory; `end` kills it and answers its peak resident memory, MB. */
const startStack = async () => {
  const stack = spawn(
    process.execPath,
    [
      join(root, 'packages/cli/dist/stockpipe.js'),
      'local',
      ...['--data-dir', dataDir],
      ...['--kafka-port', '0', '--http-port', '0'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const ended = new Promise((resolve) => stack.on('exit', resolve))
  const line = await new Promise((resolve, reject) => {
    let text = ''
    stack.stdout.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    ended.then((code) => reject(new Error(`stockpipe local ended with ${code} before it was ready`)))
  })
  const { endpoint, region, accessKeyId, secretAccessKey } = JSON.parse(line).aws
  const s3 = new S3Client({
    ...{ endpoint, region, forcePathStyle: true },
    credentials: { accessKeyId, secretAccessKey },
  })
  return {
    s3,
    async end() {
      const status = readFileSync(`/proc/${stack.pid}/status`, 'utf8')
      s3.destroy()
      stack.kill('SIGKILL')
      await ended
      return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1024)
    },
  }
}

const seconds = async (work) => {
  const started = performance.now()
  await work()
  return Math.round(performance.now() - started) / 1000
}

const list = (s3) =>
  seconds(async () => {
    let count = 0
    for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: 'by-hand' }))
      count += page.KeyCount
    if (count !== objects) throw new Error(`${count} objects were listed, ${objects} are there`)
  })

let failed = false
const figure = (text, holds) => {
  if (!holds) failed = true
  console.log(`figure: ${text}${holds ? '' : ' (missed)'}`)
}

let stack
try {
  const directory = (n) => join(dataDir, 's3/by-hand', `year=${n % 10}`)
  for (let n = 0; n < 10; n++) mkdirSync(directory(n), { recursive: true })
  for (let n = 0; n < objects; n++) writeFileSync(join(directory(n), `part-${n}.parquet`), `object ${n}`)
  const plainSeconds = await seconds(() => {
    for (let n = 0; n < 10; n++) {
      for (const name of readdirSync(directory(n))) statSync(join(directory(n), name))
    }
  })

  stack = await startStack()
  const { s3 } = stack
  await s3.send(new CreateBucketCommand({ Bucket: 'puts' }))
  let next = 0
  const put = async () => {
    while (next < puts) {
      await s3.send(new PutObjectCommand({ Bucket: 'puts', Key: `key/${next++}`, Body: 'x'.repeat(200) }))
    }
  }
  const putsPerSecond = Math.round(puts / (await seconds(() => Promise.all(Array.from({ length: 8 }, put)))))
  figure(`${putsPerSecond} puts a second, 8 at a time`, true)
  const count = objects.toLocaleString('en')
  const byHandSeconds = await list(s3)
  figure(
    `${count} files put there by hand listed in ${byHandSeconds} s`,
    byHandSeconds < wanted.byHandSeconds,
  )
  const againSeconds = await list(s3)
  const memoryMegabytes = { first: await stack.end() }

  stack = await startStack()
  const restartSeconds = await list(stack.s3)
  memoryMegabytes.afterRestart = await stack.end()
  stack = undefined
  const ratios = {
    restartToAgain: Math.round((restartSeconds / againSeconds) * 10) / 10,
    restartToPlain: Math.round((restartSeconds / plainSeconds) * 10) / 10,
  }
  figure(
    `${count} objects listed in ${restartSeconds} s after kill -9 and restart: ${ratios.restartToAgain} times a list ` +
      `that follows (${againSeconds} s), ${ratios.restartToPlain} times readdir and stat alone (${plainSeconds} s)`,
    restartSeconds < wanted.listSeconds,
  )
  const peak = Math.max(...Object.values(memoryMegabytes))
  figure(`memory of the stack at most ${peak} MB`, peak < wanted.memoryMegabytes)
  if (values.save) {
    const date = new Date().toISOString().slice(0, 10)
    const result = { date, node: process.version, cores: cpus().length, share, objects, puts, putsPerSecond }
    const times = { byHandSeconds, againSeconds, restartSeconds, plainSeconds }
    writeFileSync(
      join(root, `benchmarks/results/${date}-local-s3-listing.json`),
      `${JSON.stringify({ ...result, ...times, ratios, memoryMegabytes }, null, 2)}\n`,
    )
  }
} finally {
  await stack?.end()
  rmSync(dataDir, { recursive: true, force: true })
}
if (failed) process.exitCode = 1
