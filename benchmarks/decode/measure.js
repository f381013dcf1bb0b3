import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'tsup'
import { install, root } from '../../scripts/workspace.js'

const rows = 65_536
const rounds = 25
const warmUp = 5

/** The decoders and what makes topics and blocks (decoders.ts), built for this run. */
export const buildDecoders = async () => {
  await install('all')
  const outDir = join(root, 'packages/core/node_modules/.benchmarks')
  await build({
    config: false,
    silent: true,
    entry: { decoders: join(root, 'benchmarks/decode/decoders.ts') },
    outDir,
    format: 'esm',
    target: 'node20',
    noExternal: [/^@stockpipe/],
  })
  return await import(pathToFileURL(join(outDir, 'decoders.js')).href)
}

/** A block of records with the texts of a case. */
export const blockOf = ({ RecordBlockBuilder }, textOf) => {
  const builder = new RecordBlockBuilder({ topic: 'trades', partition: 0, firstOffset: 0n })
  for (let number = 0; number < rows; number += 1) {
    const value = Buffer.from(textOf(number))
    builder.add({ offset: BigInt(number), timestampMillis: 0, key: null, value })
  }
  return builder.finish()
}

/** Calls `read` with the text of each value, and adds what it answers. */
export const readTexts = ({ values, count }, read) => {
  const bytes = Buffer.from(values.bytes.buffer, values.bytes.byteOffset, values.bytes.length)
  let sum = 0
  for (let index = 0; index < count; index += 1) {
    const start = values.starts[index]
    sum += read(bytes.utf8Slice(start, start + values.lengths[index]))
  }
  return sum
}

const secondsPerMillion = (work) => {
  const begun = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / rows
}
const median = (values) => values.toSorted((left, right) => left - right)[values.length >> 1]

/** CPU seconds for a million rows of each way, by turns; one called `reference` is taken every fifth round. */
export const measure = (ways) => {
  const seconds = Object.fromEntries(Object.keys(ways).map((way) => [way, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [way, work] of Object.entries(ways)) {
      if (way === 'reference' && round % 5 !== 0) continue
      seconds[way].push(secondsPerMillion(work))
    }
  }
  return Object.fromEntries(
    Object.entries(seconds).map(([way, values]) => [
      way,
      Number(median(values.slice(way === 'reference' ? 1 : warmUp)).toFixed(3)),
    ]),
  )
}

export const bytesPerRow = (block) => Math.round(block.values.bytes.length / rows - 1)

/** Writes benchmarks/results/<date>-<name>.json. */
export const writeResults = (name, results) => {
  mkdirSync(join(root, 'benchmarks/results'), { recursive: true })
  const file = `benchmarks/results/${new Date().toISOString().slice(0, 10)}-${name}.json`
  writeFileSync(
    join(root, file),
    `${JSON.stringify({ node: process.version, rows, rounds, cpuSecondsPerMillionRows: results }, null, 2)}\n`,
  )
  console.log(file)
}
