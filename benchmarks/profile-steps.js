#!/usr/bin/env node
// Where the CPU of a profile goes, by step of the hot path: `node benchmarks/profile-steps.js file.cpuprofile [seconds]`.
// A profile comes from `npm run bench -- --contestants stockpipe --profile <folder>`. Time of a function belongs to the
// nearest caller whose file is known below. A profile's clock is the wall's: `seconds`, the CPU seconds a million rows
// that the run was measured with, are divided by the shares.
import { existsSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'
import { markdownTable } from './whole-path/figures.js'

/** Steps by the files that do them, the first match counts; paths are those of the sources. */
const steps = [
  ['fetch: kafkajs', /node_modules\/kafkajs\//],
  ['fetch: batches and blocks', /packages\/kafka\/src\/|core\/src\/record-block|core\/src\/crc32c/],
  ['inflate: zstd', /zstd-wasm/],
  ['decode', /core\/src\//],
  ['route', /s3-sink\/src\/(row-(router|selection|verdict)|event-|late-rows|partition-value|last-record)/],
  [
    'encode',
    /s3-sink\/src\/(parquet-|arrow-|row-group|encoded-size|thrift|part-cutter|byte-writer|column-(chunk|leaf|values)|rle-|snappy|zstd|value-order|word-dictionary)|node_modules\/(apache-arrow|parquet-wasm|flatbuffers)|wasm:/,
  ],
  [
    'append',
    /s3-sink\/src\/(group-buffer|path-|column-buffer|nested-buffer|validity|byte-interner|shared-dictionary|batch-slice|vector-kind|engine)/,
  ],
  [
    'S3 requests',
    /s3-sink\/src\/(object-store|observed-store|intercepted-store|staging|retry|signing)|node_modules\/@(aws-sdk|smithy|aws-crypto)|node:(_http|https?$|internal\/http|crypto|internal\/crypto)/,
  ],
  ['journal and sink', /s3-sink\/src\//],
  ['start: loading modules', /node:internal\/(modules|bootstrap|main|process\/(pre_execution|esm))/],
]
const other = 'sockets, timers and the rest of Node'

const maps = new Map()
/** The source behind a place in a built file; the place itself where there is no map. */
const sourceOf = ({ url, lineNumber, columnNumber }) => {
  if (!url.startsWith('file:')) return url
  let map = maps.get(url)
  if (map === undefined) {
    const file = `${fileURLToPath(url)}.map`
    map = existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : null
    maps.set(url, map)
  }
  if (!map) return url
  const { originalSource = url } = map.findEntry(lineNumber, columnNumber)
  return new URL(originalSource, url).href
}

/** Microseconds of a profile by step, and by function, idle time left out. */
export const profileSteps = (profile) => {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const parents = new Map()
  for (const { id, children = [] } of profile.nodes) for (const child of children) parents.set(child, id)
  const stepOf = new Map()
  const findStep = (id) => {
    if (id === undefined) return undefined
    if (stepOf.has(id)) return stepOf.get(id)
    const { callFrame } = nodes.get(id)
    const source = sourceOf(callFrame)
    const known =
      callFrame.functionName === '(garbage collector)'
        ? 'garbage collector'
        : steps.find(([, files]) => files.test(source))?.[0]
    const step = known ?? findStep(parents.get(id))
    stepOf.set(id, step)
    return step
  }
  const bySteps = {}
  const byFunctions = {}
  for (const [index, id] of profile.samples.entries()) {
    const micros = profile.timeDeltas[index]
    const { callFrame } = nodes.get(id)
    if (callFrame.functionName === '(idle)') continue
    const step = findStep(id) ?? other
    bySteps[step] = (bySteps[step] ?? 0) + micros
    const place = sourceOf(callFrame).replace(/^.*\/(node_modules|packages)\//, '')
    const name = `${step} | ${callFrame.functionName || '(anonymous)'} ${place}`
    byFunctions[name] = (byFunctions[name] ?? 0) + micros
  }
  return { bySteps, byFunctions }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, seconds] = process.argv.slice(2)
  const { bySteps, byFunctions } = profileSteps(JSON.parse(readFileSync(file, 'utf8')))
  const total = Object.values(bySteps).reduce((sum, micros) => sum + micros, 0)
  const shown = (record, count) =>
    Object.entries(record)
      .toSorted((a, b) => b[1] - a[1])
      .slice(0, count)
      .map(([name, micros]) => [
        name,
        `${((micros / total) * 100).toFixed(1)} %`,
        seconds ? ((micros / total) * Number(seconds)).toFixed(2) : '–',
      ])
  console.log(markdownTable([['step', 'share', 'CPU s/1M rows'], ...shown(bySteps)]))
  console.log(`\n${markdownTable([['function', 'share', 'CPU s/1M rows'], ...shown(byFunctions, 40)])}`)
}
