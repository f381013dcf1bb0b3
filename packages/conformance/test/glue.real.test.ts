import { describe, it } from 'vitest'
import { describeGlue, type GlueSubject } from '../src/index.ts'
import { startLane } from './lane.ts'
import { motoDifferences } from './moto-differences.ts'

// Started before the cases are collected: a lane that cannot run here says so in the name of a skipped suite.
const moto = await startLane('moto', (line) => (line as { glue: GlueSubject }).glue)

if ('skipped' in moto) {
  describe.skip('Glue by moto', () => {
    it(moto.skipped, () => undefined)
  })
} else {
  describeGlue('moto', async () => moto, { differences: motoDifferences })
}
