import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'

// One answer iterated by each result path, in turns, the client in a process of its own beside the local stack: CPU time
// of the client, time from the first row to the last, peak memory of the client.
// Writes benchmarks/results/<date>-result-path.json unless --no-save; --assert exits with 1 when a figure is missed.
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '3' },
    paths: { type: 'string', default: 'pages,csv,unload' },
    assert: { type: 'boolean', default: false },
    'no-save': { type: 'boolean', default: false },
  },
})
const rows = Number(values.rows)
const runs = Number(values.runs)
if (!(Number.isInteger(rows / 1000) && rows > 0)) throw new Error('--rows takes a multiple of 1000')
const paths = values.paths.split(',')
const wanted = { times: 3, peakMegabytes: 300 }

await install('all')
await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-benchmark-'))
const stack = spawn(
  process.execPath,
  [
    join(root, 'packages/cli/dist/stockpipe.js'),
    ...['local', '--data-dir', dataDir, '--kafka-port', '0', '--http-port', '0'],
  ],
  { stdio: ['ignore', 'pipe', 'ignore'] },
)
const ended = new Promise((resolve) => stack.on('exit', resolve))
const ready = new Promise((resolve, reject) => {
  let text = ''
  stack.stdout.on('data', (chunk) => {
    text += chunk
    if (text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))))
  })
  ended.then((code) => reject(new Error(`stockpipe local ended with ${code} before it was ready`)))
})

const measure = async (aws, path) => {
  const program = join(root, 'benchmarks/result-path/client.js')
  const argument = JSON.stringify({ aws, path, rows })
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', program, argument])
  return JSON.parse(stdout)
}

const median = (numbers) => numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)]

let failed = false
try {
  const { aws } = await ready
  const measured = []
  for (let run = 0; run < runs; run++) {
    for (const path of paths) {
      const one = await measure(aws, path)
      measured.push(one)
      console.log(JSON.stringify(one))
    }
  }
  const of = (path, figure) => measured.filter((one) => one.path === path).map((one) => one[figure])
  const result = {}
  for (const path of paths) {
    const cpuMillis = median(of(path, 'cpuMillis'))
    const wallMillis = median(of(path, 'wallMillis'))
    const peakMegabytes = Math.max(...of(path, 'peakMegabytes'))
    // Ratios within a run: the machine may be another one for the next.
    const ratio = (figure) =>
      median(of(path, figure).map((one, run) => Number((of('pages', figure)[run] / one).toFixed(2))))
    result[path] = {
      cpuMillis,
      wallMillis,
      peakMegabytes,
      cpuTimes: ratio('cpuMillis'),
      wallTimes: ratio('wallMillis'),
    }
  }
  for (const [path, one] of Object.entries(result)) {
    console.log(
      `figure: ${path}: ${rows.toLocaleString('en')} rows x 8 columns in ${one.cpuMillis} ms of CPU (${one.cpuTimes} times as fast as pages), ${one.wallMillis} ms (${one.wallTimes} times), at most ${one.peakMegabytes} MB`,
    )
    if (path === 'pages') continue
    // The object is what is read by itself. A tenth of the rows does not make up for what an UNLOAD does beside them.
    const times = path === 'csv' ? Math.min(one.cpuTimes, one.wallTimes) : one.cpuTimes
    if (one.peakMegabytes > wanted.peakMegabytes || times < wanted.times) {
      console.log(`missed: ${path}: ${wanted.times} times as fast as pages within ${wanted.peakMegabytes} MB`)
      failed = true
    }
  }
  if (!values['no-save']) {
    const date = new Date().toISOString().slice(0, 10)
    writeFileSync(
      join(root, `benchmarks/results/${date}-result-path.json`),
      `${JSON.stringify({ date, node: process.version, cores: cpus().length, rows, columns: 8, runs, ...result }, null, 2)}\n`,
    )
  }
} finally {
  stack.kill('SIGTERM')
  await ended
  rmSync(dataDir, { recursive: true, force: true })
}
if (failed && values.assert) process.exitCode = 1
