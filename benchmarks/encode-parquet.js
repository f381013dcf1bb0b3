// CPU time from decoded batches to the parts of Parquet files (route, append, cut, encode), beside parquet-wasm writing
// the same rows as one file. `node benchmarks/encode-parquet.js` writes benchmarks/results/<date>-encode-parquet.json and
// fails when a step costs a fifth more than benchmarks/ratios.json says, as a share of the reference; `--store` stores.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'tsup'
import { buildFast, install, root } from '../scripts/workspace.js'
import { referenceWriter } from './encode/reference.js'
import { tradeBatches, tradesTable } from './encode/trades.js'
import { slippedRatios } from './stored-ratios.js'

const rows = 1_000_000
const rounds = 5
const cases = [
  { paths: 80, symbols: 20, hours: 4 },
  { paths: 1000, symbols: 1000, hours: 1 },
]
const compressions = [
  { name: 'snappy', compression: 'snappy', reference: 'snappy' },
  { name: 'zstd 1', compression: { codec: 'zstd', level: 1 }, reference: 'zstd' },
  { name: 'zstd 3', compression: { codec: 'zstd', level: 3 }, reference: 'zstd' },
  { name: 'gzip', compression: 'gzip', reference: 'gzip' },
  { name: 'none', compression: 'none', reference: 'none' },
]

await install('all')
await buildFast(['packages/core'])
// The engine's parts are no public API: they are bundled from their source.
const outDir = join(root, 'packages/s3-sink/node_modules/.benchmarks')
await build({
  config: false,
  silent: true,
  entry: { group: join(root, 'benchmarks/encode/group.ts') },
  outDir,
  format: 'esm',
  target: 'node20',
  noExternal: [/^@stockpipe/],
  esbuildOptions: (options) => {
    options.conditions = ['@stockpipe/src']
  },
})
const { makeGroup, secondsSince } = await import(pathToFileURL(join(outDir, 'group.js')).href)
const table = tradesTable(await import('../packages/core/dist/index.js'))

const results = []
const ratios = {}
const median = (values) => values.toSorted((left, right) => left - right)[values.length >> 1]
for (const { paths, symbols, hours } of cases) {
  const batches = tradeBatches({ rows, symbols, hours })
  const writeReference = referenceWriter(batches)
  for (const { name, compression, reference } of compressions) {
    const runs = []
    const references = []
    for (let round = 0; round < rounds; round += 1) {
      runs.push(makeGroup(table, batches, compression))
      const begun = process.cpuUsage()
      const bytes = writeReference(reference)
      references.push({ bytes, seconds: secondsSince(begun) })
    }
    const perMillion = (seconds) => Number(((seconds * 1e6) / rows).toFixed(3))
    const result = {
      paths,
      compression: name,
      routeAndAppend: perMillion(median(runs.map((run) => run.appendSeconds))),
      cutAndEncode: perMillion(median(runs.map((run) => run.seconds - run.appendSeconds))),
      total: perMillion(median(runs.map((run) => run.seconds))),
      reference: perMillion(median(references.map((run) => run.seconds))),
      files: runs[0].files,
      megabytes: Number((runs[0].bytes / 1e6).toFixed(1)),
      referenceMegabytes: Number((references[0].bytes / 1e6).toFixed(1)),
      heldMegabytes: Number((runs[0].heldBytes / 1e6).toFixed(1)),
      encoderMegabytes: Number((runs.at(-1).encoderBytes / 1e6).toFixed(1)),
    }
    results.push(result)
    ratios[`encode-parquet: ${paths} paths, ${name}`] = Number((result.total / result.reference).toFixed(3))
    console.log(
      `figure: ${paths} paths, ${name}: ${result.total} CPU s a million rows (route and append ${result.routeAndAppend}, ` +
        `cut and encode ${result.cutAndEncode}), ${result.megabytes} MB; parquet-wasm, one file: ${result.reference}, ${result.referenceMegabytes} MB`,
    )
  }
}
mkdirSync(join(root, 'benchmarks/results'), { recursive: true })
const file = `benchmarks/results/${new Date().toISOString().slice(0, 10)}-encode-parquet.json`
writeFileSync(
  join(root, file),
  `${JSON.stringify({ node: process.version, rows, rounds, results }, null, 2)}\n`,
)
console.log(file)
const faults = slippedRatios(ratios, { store: process.argv.includes('--store') })
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exit(1)
