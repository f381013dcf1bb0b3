import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install, root, run } from '../scripts/workspace.js'

// The conformance suites, unchanged, against Apache Kafka, versitygw, moto and Trino over our own Glue and S3 (`npm test` runs them
// against the local stack), and what of @stockpipe/kafka needs Apache Kafka itself: batches that its own client has
// written. At least so many cases must have passed for each, unless this machine lacks what the lane needs.
const fewest = {
  Kafka: 60,
  'Kafka security': 40,
  'Record batches': 6,
  S3: 50,
  ObjectStore: 80,
  Glue: 90,
  Athena: 140,
  'Market helpers': 18,
  'Built queries': 40,
}
const folders = ['packages/conformance', 'packages/kafka', 'packages/athena']
// A Trino of the user's behind our Athena (`--athena-engine`) has the same answers: a minute more, in a full run.
if (process.argv.includes('--full')) {
  folders.push('packages/local')
  fewest['Golden answers'] = 220
}

await install('all')
const folder = mkdtempSync(join(tmpdir(), 'stockpipe-conformance-'))
const report = join(folder, 'report.json')
try {
  const code = await run(process.execPath, [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    'vitest.workspace.ts',
    '--project',
    'real',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...folders,
  ])
  if (code !== 0) throw new Error('a case failed: see above')
  const cases = JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap((file) => file.assertionResults)
  for (const [service, least] of Object.entries(fewest)) {
    const ours = cases.filter(({ ancestorTitles }) => ancestorTitles[0]?.startsWith(`${service} by `))
    const passed = ours.filter(({ status }) => status === 'passed').length
    if (ours.length === 0) throw new Error(`no suite is named '${service} by ...'`)
    const [title] = ours[0].ancestorTitles
    if (ours.every(({ status }) => status === 'skipped' || status === 'pending')) {
      console.log(`skipped: ${title}: this machine lacks what its lane needs`)
      continue
    }
    if (passed < least) throw new Error(`${title}: ${passed} cases passed, at least ${least} are asked`)
    console.log(`figure: ${title}: ${passed} cases passed`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
