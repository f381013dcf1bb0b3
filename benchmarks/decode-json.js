// CPU time from the JSON of a block of records to columns, beside JSON.parse of each message alone, and the reference
// decoder. `node benchmarks/decode-json.js` writes benchmarks/results/<date>-decode-json.json and fails when a case
// costs a fifth more than benchmarks/ratios.json says, as a share of JSON.parse, or more than JSON.parse; `--store` stores.
import { cases } from './decode/json-documents.js'
import { blockOf, buildDecoders, bytesPerRow, measure, readTexts, writeResults } from './decode/measure.js'
import { slippedRatios } from './stored-ratios.js'

const core = await buildDecoders()
const { createJsonDecoder, createReferenceJsonDecoder, defineTable, defineTopic, json, t } = core

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

const results = {}
const ratios = {}
const faults = []
for (const [name, documentOf] of Object.entries(cases)) {
  const { table, value } = topicOf(name)
  const block = blockOf(core, documentOf)
  const generated = createJsonDecoder(table, value, { generateCode: true })
  const closures = createJsonDecoder(table, value, { generateCode: false })
  const reference = createReferenceJsonDecoder(table, value)
  const { rejected } = generated.decode(block)
  if (rejected.length > 0) throw new Error(`${name}: ${rejected[0].reason}`)
  const cost = measure({
    'JSON.parse': () => readTexts(block, (text) => JSON.parse(text).size),
    generated: () => generated.decode(block),
    'without eval': () => closures.decode(block),
    reference: () => reference.decode(block),
  })
  results[name] = { bytesPerRow: bytesPerRow(block), ...cost }
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
writeResults('decode-json', results)
faults.push(...slippedRatios(ratios, { store: process.argv.includes('--store') }))
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exit(1)
