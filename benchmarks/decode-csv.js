// CPU time from the CSV of a block of records to columns, beside a plain program that splits each line and makes an
// object of numbers and texts of it, exact or not, and the reference decoder. `node benchmarks/decode-csv.js` writes
// benchmarks/results/<date>-decode-csv.json and fails when a case costs a fifth more than benchmarks/ratios.json says, as a
// share of the plain program, or more than that program; `--store` stores.
import { cases, plainCells } from './decode/csv-lines.js'
import { blockOf, buildDecoders, bytesPerRow, measure, readTexts, writeResults } from './decode/measure.js'
import { slippedRatios } from './stored-ratios.js'

const core = await buildDecoders()
const { createCsvDecoder, createReferenceCsvDecoder, csv, defineTable, defineTopic, t } = core

const columns = {
  symbol: t.string(),
  price: t.decimal(18, 4),
  size: t.int64(),
  ts: t.timestamp(),
  venue: t.string().nullable(),
  trade_id: t.int64(),
}
const topicOf = (name) => {
  const skipped = name.includes('skip') ? { columns: [...Object.keys(columns), null, null, null, null] } : {}
  return defineTopic('trades', {
    table: defineTable('trades', {
      columns: name.startsWith('doubles') ? { ...columns, ratio: t.double(), second: t.double() } : columns,
    }),
    value: csv({
      ...skipped,
      ...(name.startsWith('decimals') ? {} : { timestamps: { ts: 'epoch-millis' } }),
    }),
  })
}
const plainRow = (line) => {
  const [symbol, price, size, ts, venue, tradeId, ratio, second] = plainCells(line)
  return {
    symbol,
    price: Number(price),
    size: Number(size),
    ts: new Date(ts.includes('T') ? ts : Number(ts)),
    venue: venue === '' ? null : venue,
    tradeId: Number(tradeId),
    ratio: Number(ratio),
    second: Number(second),
  }
}

const results = {}
const ratios = {}
const faults = []
for (const [name, lineOf] of Object.entries(cases)) {
  const { table, value } = topicOf(name)
  const block = blockOf(core, lineOf)
  const decoder = createCsvDecoder(table, value)
  const reference = createReferenceCsvDecoder(table, value)
  const { rejected } = decoder.decode(block)
  if (rejected.length > 0) throw new Error(`${name}: ${rejected[0].reason}`)
  const cost = measure({
    plain: () => readTexts(block, (text) => plainRow(text).size),
    decoder: () => decoder.decode(block),
    reference: () => reference.decode(block),
  })
  results[name] = { bytesPerRow: bytesPerRow(block), ...cost }
  const ratio = Number((cost.decoder / cost.plain).toFixed(3))
  ratios[`decode-csv: ${name}`] = ratio
  if (ratio > 1) faults.push(`${name}: ${ratio} of the plain program, which it must not exceed`)
  console.log(
    `figure: ${name}, ${results[name].bytesPerRow} bytes: ${cost.decoder} CPU s a million rows; ` +
      `a plain program ${cost.plain}; the reference ${cost.reference}`,
  )
}
writeResults('decode-csv', results)
faults.push(...slippedRatios(ratios, { store: process.argv.includes('--store') }))
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exit(1)
