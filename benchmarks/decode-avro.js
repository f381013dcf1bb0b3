// CPU time from the Avro of a block of records to columns, beside avsc's decoding of each message to an object alone.
// `node benchmarks/decode-avro.js` writes benchmarks/results/<date>-decode-avro.json and fails when a case costs a fifth
// more than benchmarks/ratios.json says, as a share of avsc, or, without lists, maps and structs (which are gathered value by
// value first), more than avsc; `--store` stores.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import avsc from 'avsc'
import { buildFast, install, root } from '../scripts/workspace.js'
import { cases } from './decode-avro/values.js'
import { slippedRatios } from './stored-ratios.js'

const rows = 65_536
const rounds = 25
const warmUp = 5

await install('all')
await buildFast([join('packages', 'core')])
const { avro, createDecoder, defineTable, defineTopic, RecordBlockBuilder, t } = await import(
  pathToFileURL(join(root, 'packages/core/dist/index.js')).href
)

const columns = {
  symbol: t.string(),
  price: t.decimal(18, 4),
  size: t.int64(),
  ts: t.timestamp(),
  venue: t.string().nullable(),
  trade_id: t.int64(),
}
const legs = t.list(t.struct({ price: t.decimal(18, 4), size: t.int64() }))
const confluentHeader = Buffer.of(0, 0, 0, 0, 7)

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
for (const [name, { schema, makeValue, nested = false, framing = 'plain' }] of Object.entries(cases)) {
  const text = JSON.stringify(schema)
  const topic = defineTopic('trades', {
    table: defineTable('trades', { columns: nested ? { ...columns, legs } : columns }),
    value: avro({ framing, ...(framing === 'plain' ? { schema: text } : {}) }),
  })
  const type = avsc.Type.forSchema(schema)
  const header = framing === 'plain' ? Buffer.alloc(0) : confluentHeader
  const builder = new RecordBlockBuilder({ topic: 'trades', partition: 0, firstOffset: 0n })
  const values = Array.from({ length: rows }, (_, number) => type.toBuffer(makeValue(number)))
  values.forEach((value, number) => {
    const record = {
      offset: BigInt(number),
      timestampMillis: 0,
      key: null,
      value: Buffer.concat([header, value]),
    }
    builder.add(record)
  })
  const block = builder.finish()
  // As the engine has it.
  const decoder = createDecoder(topic, { reuseBatches: true })
  for (const id of decoder.schemas?.missing(block) ?? []) decoder.schemas.give(id, { schema: text })
  const { batch, rejected } = decoder.decode(block)
  if (batch.rows !== rows) throw new Error(`${name}: ${rejected[0]?.reason}`)
  const decodeAll = () => {
    let sizes = 0
    for (const value of values) sizes += type.fromBuffer(value).size
    return sizes
  }
  const seconds = { avsc: [], columns: [] }
  for (let round = 0; round < rounds; round += 1) {
    seconds.avsc.push(secondsPerMillion(decodeAll))
    seconds.columns.push(secondsPerMillion(() => decoder.decode(block)))
  }
  const cost = Object.fromEntries(
    Object.entries(seconds).map(([way, all]) => [way, Number(median(all.slice(warmUp)).toFixed(3))]),
  )
  const ratio = Number((cost.columns / cost.avsc).toFixed(3))
  results[name] = { bytesPerRow: Math.round(block.values.bytes.length / rows - 1), ...cost }
  ratios[`decode-avro: ${name}`] = ratio
  if (ratio > 1 && !nested) faults.push(`${name}: ${ratio} of avsc, which it must not exceed`)
  console.log(
    `figure: ${name}, ${results[name].bytesPerRow} bytes: ${cost.columns} CPU s a million rows; avsc alone ${cost.avsc}`,
  )
}
mkdirSync(join(root, 'benchmarks/results'), { recursive: true })
const file = `benchmarks/results/${new Date().toISOString().slice(0, 10)}-decode-avro.json`
writeFileSync(
  join(root, file),
  `${JSON.stringify({ node: process.version, rows, rounds, cpuSecondsPerMillionRows: results }, null, 2)}\n`,
)
console.log(file)
faults.push(...slippedRatios(ratios, { store: process.argv.includes('--store') }))
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exit(1)
