import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildFast, install, root } from '../scripts/workspace.js'
import { partitions } from './memory/quotes-table.js'
import { checkArguments } from './stack/check-arguments.js'
import { s3Client } from './stack/plain-clients.js'
import { freePort, startStack } from './stack/stack-process.js'

// 1,000 open paths, files of 64 MiB aimed at, a budget of 256 MiB: the peak resident memory of a fresh process with the
// real engine, against S3 in another process, stays under 512 MB. `node checks/memory-budget.js [rows] [--workers 0|1]`
const { workers, positionals } = checkArguments()
const rows = Number(positionals[0] ?? 2_000_000)
if (!Number.isInteger(rows) || rows < partitions)
  throw new Error('usage: node checks/memory-budget.js [rows] [--workers 0|1]')
const limitMegabytes = 512
const symbols = 1_000

const output = (child) =>
  new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
    })
    child.on('close', (code, signal) =>
      code === 0 ? resolve(text) : reject(new Error(`the writer ended with ${code ?? signal}\n${text}`)),
    )
  })

await install('all')
await buildFast(['packages/core', 'packages/s3-sink', 'packages/glue', 'packages/athena', 'packages/local'])
await buildFast(['packages/source', 'packages/kafka', 'packages/cli'])
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-memory-budget-'))
const stack = await startStack({ dataDir, kafkaPort: await freePort(), httpPort: await freePort() })
try {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const credentials = { accessKeyId, secretAccessKey }
  const client = new s3Client.S3Client({ endpoint, region, credentials, forcePathStyle: true })
  await client.send(new s3Client.CreateBucketCommand({ Bucket: 'lake' }))
  const settings = {
    aws: stack.aws,
    rows,
    symbols,
    blockRows: 8_192,
    noteBytes: 400,
    fileMiB: 64,
    memory: '256MiB',
    workers,
  }
  const child = spawn(
    process.execPath,
    [join(root, 'checks/memory/wide-writer.js'), JSON.stringify(settings)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const told = JSON.parse(await output(child))
  console.log(JSON.stringify(told))
  const wanted = Math.floor(rows / partitions) * partitions
  const faults = []
  if (!(told.peakMegabytes < limitMegabytes)) faults.push(`its peak was ${told.peakMegabytes} MB`)
  if (told.rows !== wanted || told.problems > 0) faults.push(`${told.rows} rows of ${wanted} are published`)
  if (told.full === 0) faults.push('the budget was never full: too few rows to show anything')
  if (faults.length > 0) throw new Error(faults.join('; '))
  console.log(
    `figure: ${symbols} open paths, ${rows} rows, 64 MiB target, 256 MiB budget, ${workers} workers: peak RSS ${told.peakMegabytes.toFixed(0)} MB, ` +
      `${(told.mostUsedBytes / 1024 ** 2).toFixed(0)} MiB charged at most, ${told.files} files`,
  )
} finally {
  await stack.end('SIGTERM')
  rmSync(dataDir, { recursive: true, force: true })
}
