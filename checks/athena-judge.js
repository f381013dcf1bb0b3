#!/usr/bin/env node
// The SQL of the local Athena beside Trino, which reads the same Glue catalog and the same files: names, types and values of
// every answer, and what is an error. No answer may be another than Trino's.
// `node checks/athena-judge.js [--golden] [--mutations [--rewrites 3]] [--generated 3000] [--seed 7] [--in-flight 2] [--all]`
// --golden: the golden queries and expressions; --mutations: each of them rewritten (once by default), so that no table of
// answers passes; --generated: queries made over the golden tables. --all prints all that is not answered; --keep names a
// file that gets the generated queries with Trino's answers.
import { parseArgs } from 'node:util'
import { buildFast, install, packageFolders } from '../scripts/workspace.js'
import { generatedStatements } from './athena/generate.js'
import { goldenDatabase, goldenStatements } from './athena/golden-tables.js'
import { KeptAnswers } from './athena/kept-answers.js'
import { mutatedStatements } from './athena/mutate.js'
import { Tally } from './athena/tally.js'
import { seedFrom } from './stack/random.js'

const { values } = parseArgs({
  options: {
    golden: { type: 'boolean', default: false },
    mutations: { type: 'boolean', default: false },
    rewrites: { type: 'string', default: '1' },
    generated: { type: 'string', default: '0' },
    seed: { type: 'string' },
    'in-flight': { type: 'string', default: '2' },
    all: { type: 'boolean', default: false },
    keep: { type: 'string' },
  },
})
const seed = seedFrom(values.seed)
const rewrites = values.mutations ? Number(values.rewrites) : 0
const parts = {
  golden: values.golden ? goldenStatements() : [],
  mutated: mutatedStatements(goldenStatements(), rewrites, seed),
  generated: generatedStatements(Number(values.generated), seed),
}

await install('all')
await buildFast(packageFolders.filter((folder) => !['examples', 'benchmarks'].includes(folder)))
const { startServices } = await import('./athena/services.js')
const { judge } = await import('./athena/judge.js')
const services = await startServices()
if (services !== undefined) {
  const tally = new Tally({ printsAll: values.all })
  const kept = new KeptAnswers()
  try {
    for (const [part, statements] of Object.entries(parts)) {
      if (statements.length === 0) continue
      const begun = performance.now()
      const inFlight = Number(values['in-flight'])
      await judge(services, goldenDatabase, statements, inFlight, (statement, verdict, theirs) => {
        tally.add(part, statement, verdict)
        if (part === 'generated') kept.add(statement, verdict, theirs)
      })
      tally.report(part, (performance.now() - begun) / 1000)
    }
  } finally {
    await services.close()
  }
  if (values.keep !== undefined) kept.write(values.keep)
  tally.assert()
}
