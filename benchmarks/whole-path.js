#!/usr/bin/env node
// The whole path, from a Kafka topic of JSON trades to Parquet files on S3, by stockpipe and by what a user would
// otherwise write: `pnpm bench`, or `npm run bench -- --rows 1000000`. See docs/benchmarks.md.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'

// Says of Node 20 what package.json says already.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

const usage = `usage: pnpm bench [options]
  --rows 10000000         trades in a topic
  --runs 3                runs of each contestant, in turn; the median counts
  --contestants a,b       of: stockpipe, stockpipe-inline, stockpipe-zstd, kafkajs-each-message, kafkajs-each-batch, python
  --data a,b | all        of: {90,400}-{plain,zstd}-{in-order,shuffled}; default 90-plain-in-order
  --real | --local        Apache Kafka and versitygw (default), or stockpipe local
  --kill [3]              also kill each contestant with -9, so many times, and count what is lost and doubled
  --seed 1                of the moments of the kills
  --scaling [rows,paths]  stockpipe alone, over more rows, partitions and paths (default all three), instead
  --profile folder        a CPU profile of each Node process there, for benchmarks/profile-steps.js; slows the runs
  --assert                exit with 1 when a line that must hold is missed
  --no-save               leave benchmarks/results and docs/benchmarks.md as they are
  --built                 take the packages as they are built`

const optional = new Map([
  ['--kill', '3'],
  ['--scaling', 'rows,partitions,paths'],
])
const commandLine = process.argv.slice(2).flatMap((argument, at, all) => {
  const value = optional.get(argument)
  return value !== undefined && (all[at + 1] ?? '--').startsWith('--') ? [argument, value] : [argument]
})
const { values } = parseArgs({
  args: commandLine.filter((argument) => argument !== '--'),
  options: {
    rows: { type: 'string' },
    runs: { type: 'string' },
    contestants: { type: 'string' },
    data: { type: 'string' },
    real: { type: 'boolean' },
    local: { type: 'boolean', default: false },
    kill: { type: 'string' },
    seed: { type: 'string', default: '1' },
    scaling: { type: 'string' },
    profile: { type: 'string' },
    assert: { type: 'boolean', default: false },
    'no-save': { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const wrong = (sentence) => {
  console.error(`${sentence}\n${usage}`)
  process.exit(2)
}
const whole = (name, fallback, least = 1) => {
  const number = Number(values[name] ?? fallback)
  if (!Number.isSafeInteger(number) || number < least)
    wrong(`--${name} takes a whole number from ${least} on.`)
  return number
}
const listed = (name, fallback, known) => {
  const names = values[name] === 'all' ? known : (values[name]?.split(',') ?? fallback)
  for (const one of names) if (!known.includes(one)) wrong(`--${name} knows no '${one}'.`)
  return names
}
if (values.real && values.local) wrong('--real and --local exclude each other.')

await install('all')
if (!values.built) await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
const { contestants } = await import('./whole-path/contestants.js')
const { compare, compareKilled, warmUp } = await import('./whole-path/compare.js')
const { dataSets, standardData } = await import('./whole-path/data-sets.js')
const { saveResult } = await import('./whole-path/results.js')
const { figuresTable } = await import('./whole-path/figures.js')
const { judgeScaling, measureScaling, scalingTable } = await import('./whole-path/scaling.js')
const { killContestants } = await import('./whole-path/run-contestant.js')
const { LaneMissing, startServices } = await import('./whole-path/services.js')
const { judge } = await import('./whole-path/thresholds.js')

const rows = whole('rows', values.scaling ? 20_000_000 : 10_000_000)
const runs = whole('runs', values.scaling ? 1 : 3)
const kills = values.kill === undefined ? 0 : whole('kill')
const seed = whole('seed', 1, 0)
const names = listed('contestants', Object.keys(contestants), Object.keys(contestants))
const chosen = listed('data', [standardData], Object.keys(dataSets))
const questions = values.scaling ? listed('scaling', [], ['rows', 'partitions', 'paths']) : undefined
/** Fewer rows than this are a try-out and no result. */
const savedFrom = 1_000_000

const environment = (services) => ({
  date: new Date().toISOString().slice(0, 10),
  // The last commit that changed what is measured.
  commit: execFileSync('git', ['log', '-1', '--format=%h', '--', 'packages'], {
    cwd: root,
    encoding: 'utf8',
  }).trim(),
  services: services.name,
  node: process.version,
  processor: `${cpus().length} x ${cpus()[0]?.model.trim()}`,
  // How busy the machine was before the first run: none of it is ours.
  loadBefore: Number(loadavg()[0].toFixed(1)),
})

const comparison = async (services) => {
  const result = { ...environment(services), sets: [], judged: [] }
  await warmUp(services, names)
  for (const dataSet of chosen) {
    const set = await compare(services, names, { dataSet, rows, runs, profile: values.profile })
    if (kills > 0) {
      set.killed = await compareKilled(services, names, {
        dataSet,
        rows: Math.min(rows, savedFrom),
        kills,
        seed,
      })
    }
    console.log(`\n${figuresTable(set.figures)}\n`)
    result.sets.push(set)
    result.judged.push(...judge(dataSet, set.figures).map((line) => ({ dataSet, ...line })))
    // Rivals may lose or double rows when they are killed: that is what the figure is for.
    for (const name of names.filter((one) => one.startsWith('stockpipe'))) {
      const killed = set.killed?.figures[name]
      if (!killed) continue
      const figure = killed.lost + killed.doubled
      const what = `${name} loses and doubles nothing when killed ${killed.killed} times`
      result.judged.push({ dataSet, what, figure, holds: figure === 0 })
    }
  }
  return result
}

const scaling = async (services) => {
  const result = { ...environment(services) }
  await warmUp(services, ['stockpipe'])
  result.steps = await measureScaling(services, { rows, runs, only: questions })
  console.log(`\n${scalingTable(result.steps)}\n`)
  result.judged = judgeScaling(result.steps)
  return result
}

const folder = mkdtempSync(join(tmpdir(), 'stockpipe-bench-'))
let services
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    killContestants()
    await services?.end()
    rmSync(folder, { recursive: true, force: true })
    process.exit(1)
  })
}
try {
  services = await startServices(values.local ? 'local' : 'real', folder)
  const result = values.scaling ? await scaling(services) : await comparison(services)
  for (const { dataSet = 'scaling', what, figure, holds } of result.judged) {
    console.log(
      `${holds ? 'ok    ' : 'MISSED'} ${dataSet}: ${what} (${Number(figure.toPrecision(4)).toLocaleString('en')})`,
    )
  }
  if (!values['no-save'] && !values.profile && rows >= savedFrom) {
    console.log(saveResult(values.scaling ? 'scaling' : 'whole-path', result))
  }
  if (values.assert && result.judged.some(({ holds }) => !holds)) process.exitCode = 1
} catch (error) {
  if (!(error instanceof LaneMissing)) throw error
  console.error(
    `${error.message} With --local the benchmark takes stockpipe local; --contestants leaves others out.`,
  )
  process.exitCode = 1
} finally {
  await services?.end()
  rmSync(folder, { recursive: true, force: true })
}
