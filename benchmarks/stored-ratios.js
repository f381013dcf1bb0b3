import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../scripts/workspace.js'

const path = join(root, 'benchmarks/ratios.json')
/** A step that costs more than this many times its stored ratio has slipped. */
const slipped = 1.2

const stored = () => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {})

/**
 * Compares ratios of CPU time, by step, with those in benchmarks/ratios.json; with `store` writes them there instead.
 * A ratio is the cost of a step over that of a reference measured in the same run. Answers a sentence for each step
 * that has slipped by a fifth, or is not stored.
 */
export const slippedRatios = (ratios, { store }) => {
  if (store) {
    const all = { ...stored(), ...ratios }
    const sorted = Object.fromEntries(Object.entries(all).sort(([left], [right]) => (left < right ? -1 : 1)))
    writeFileSync(path, `${JSON.stringify(sorted, null, 2)}\n`)
    return []
  }
  const before = stored()
  return Object.entries(ratios).flatMap(([step, ratio]) => {
    if (before[step] === undefined) return [`${step}: no ratio is stored; store it with --store`]
    if (ratio <= before[step] * slipped) return []
    return [`${step}: ${ratio.toFixed(3)} of the reference, ${before[step].toFixed(3)} stored`]
  })
}
