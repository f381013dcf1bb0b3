#!/usr/bin/env node
// Each deadly mutation of the commit protocol and of the producer's (packages/s3-sink/test/mutations/mutations.json)
// makes the test fail that is named beside it, and that test passes without it. An argument picks mutations whose name or
// file contains it; `--every 3` takes every third, the next day the next third.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { install, root } from '../scripts/workspace.js'

const { values, positionals } = parseArgs({
  options: { every: { type: 'string', default: '1' } },
  allowPositionals: true,
})
const [only = ''] = positionals
const every = Number(values.every)
if (!Number.isSafeInteger(every) || every < 1) throw new Error('--every takes a whole number from 1 on')
const day = Math.floor(Date.now() / 86_400_000)
const list = JSON.parse(readFileSync(join(root, 'packages/s3-sink/test/mutations/mutations.json'), 'utf8'))
const mutations = list.filter(
  ({ name, file }, index) => (name.includes(only) || file.includes(only)) && index % every === day % every,
)
const folder = mkdtempSync(join(tmpdir(), 'stockpipe-mutations-'))
await install('all')

/** Runs test files over mutated sources; answers how each test ended, by its name. */
const outcomes = (files, mutation) => {
  const report = join(folder, 'report.json')
  rmSync(report, { force: true })
  const { stderr } = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config=checks/mutations/vitest.config.ts',
      '--reporter=json',
      `--outputFile=${report}`,
      ...files,
    ],
    { cwd: root, encoding: 'utf8', env: { ...process.env, STOCKPIPE_MUTATION: JSON.stringify(mutation) } },
  )
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
  const broken = testResults.find(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  if (broken || testResults.length !== files.length) throw new Error(`${broken?.message ?? stderr}`)
  return new Map(
    testResults.flatMap((file) => file.assertionResults.map(({ title, status }) => [title, status])),
  )
}

let missed = 0
try {
  const files = [...new Set(mutations.map(({ tests }) => tests))]
  const sound = outcomes(files, null)
  for (const mutation of mutations) {
    const { name, tests, failing } = mutation
    const before = sound.get(failing)
    const after = outcomes([tests], mutation).get(failing)
    const caught = before === 'passed' && after === 'failed'
    if (!caught) missed += 1
    console.log(
      `${caught ? 'caught' : `MISSED (${before} before, ${after} after)`}: ${name}, by "${failing}"`,
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(
  `figure: ${mutations.length - missed} of ${mutations.length} deadly mutations caught by their named test`,
)
process.exitCode = missed === 0 ? 0 : 1
