import { beforeAll, describe } from 'vitest'
import { localAthena } from '../local-athena.ts'
import { builtQueryTests } from './built-queries-suite.ts'

describe('Built queries', () => {
  const local = localAthena('default')
  beforeAll(() => local().put('lake'))
  builtQueryTests(() => local().athena, 120_000, true)
})
