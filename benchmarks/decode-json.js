// CPU time from the JSON of a block of records to columns, beside JSON.parse of each message alone, and the reference
// decoder. `node benchmarks/decode-json.js` writes benchmarks/results/<date>-decode-json.json and fails when a case
// costs a fifth more than benchmarks/ratios.json says, as a share of JSON.parse, or more than JSON.parse; `--store` stores.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'tsup'
import { install, root } from '../scripts/workspace.js'
import { cases } from './decode-json/documents.js'
import { slippedRatios } from './stored-ratios.js'

const rows = 65_536
const rounds = 25
const warmUp = 5

await install('all')
const outDir = join(root, 'packages/core/node_modules/.benchmarks')
await build({
  config: false,
  silent: true,
  entry: { decoders: join(root, 'benchmarks/decode-json/decoders.ts') },
  outDir,
  format: 'esm',
  target: 'node20',
  noExternal: [/^@stockpipe/],
})
const {
  createJsonDecoder,
  createReferenceJsonDecoder,
  defineTable,
  defineTopic,
  json,
  RecordBlockBuilder,
  t,
} = await import(pathToFileURL(join(outDir, 'decoders.js')).href)

const columns = {
  symbol: t.string(),
  price: t.decimal(18, 4),
  size: t.int64(),
  ts: t.timestamp(),
  venue: t.string().nullable(),
  trade_id: t.int64(),
}
const topicOf = (name) =>
  defineTopic('trades', {
    table: defineTable('trades', {
      columns: name.startsWith('doubles') ? { ...columns, ratio: t.double(), second: t.double() } : columns,
    }),
    value: json(name.startsWith('decimals') ? {} : { timestamps: { ts: 'epoch-millis' } }),
  })
const blockOf = (documentOf) => {
  const builder = new RecordBlockBuilder({ topic: 'trades', partition: 0, firstOffset: 0n })
  for (let number = 0; number < rows; number += 1) {
    const value = Buffer.from(documentOf(number))
    builder.add({ offset: BigInt(number), timestampMillis: 0, key: null, value })
  }
  return builder.finish()
}
const parseAll = ({ values, count }) => {
  const bytes = Buffer.from(values.bytes.buffer, values.bytes.byteOffset, values.bytes.length)
  let members = 0
  for (let index = 0; index < count; index += 1) {
    const start = values.starts[index]
    members += JSON.parse(bytes.utf8Slice(start, start + values.lengths[index])).size
  }
  return members
}

const secondsPerMillion = (work) => {
  const begun = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / rows
}
const median = (values) => values.toSorted((left, right) => left - right)[values.length >> 1]

const results = {}
const ratios = {}
const faults = []
for (const [name, documentOf] of Object.entries(cases)) {
  const topic = topicOf(name)
  const block = blockOf(documentOf)
  const decoders = {
    generated: createJsonDecoder(topic.table, topic.value, { generateCode: true }),
    'without eval': createJsonDecoder(topic.table, topic.value, { generateCode: false }),
    reference: createReferenceJsonDecoder(topic.table, topic.value),
  }
  const { rejected } = decoders.generated.decode(block)
  if (rejected.length > 0) throw new Error(`${name}: ${rejected[0].reason}`)
  const seconds = { 'JSON.parse': [], generated: [], 'without eval': [], reference: [] }
  for (let round = 0; round < rounds; round += 1) {
    seconds['JSON.parse'].push(secondsPerMillion(() => parseAll(block)))
    for (const [way, decoder] of Object.entries(decoders)) {
      if (way === 'reference' && round % 5 !== 0) continue
      seconds[way].push(secondsPerMillion(() => decoder.decode(block)))
    }
  }
  const cost = Object.fromEntries(
    Object.entries(seconds).map(([way, values]) => [
      way,
      Number(median(values.slice(way === 'reference' ? 1 : warmUp)).toFixed(3)),
    ]),
  )
  results[name] = { bytesPerRow: Math.round(block.values.bytes.length / rows - 1), ...cost }
  for (const way of ['generated', 'without eval']) {
    const ratio = Number((cost[way] / cost['JSON.parse']).toFixed(3))
    ratios[`decode-json: ${name}, ${way}`] = ratio
    if (ratio > 1) faults.push(`${name}, ${way}: ${ratio} of JSON.parse, which it must not exceed`)
  }
  console.log(
    `figure: ${name}, ${results[name].bytesPerRow} bytes: ${cost.generated} CPU s a million rows, without eval ` +
      `${cost['without eval']}; JSON.parse alone ${cost['JSON.parse']}; the reference ${cost.reference}`,
  )
}
mkdirSync(join(root, 'benchmarks/results'), { recursive: true })
const file = `benchmarks/results/${new Date().toISOString().slice(0, 10)}-decode-json.json`
writeFileSync(
  join(root, file),
  `${JSON.stringify({ node: process.version, rows, rounds, cpuSecondsPerMillionRows: results }, null, 2)}\n`,
)
console.log(file)
faults.push(...slippedRatios(ratios, { store: process.argv.includes('--store') }))
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exit(1)
