import { beforeAll, describe } from 'vitest'
import { localAthena } from '../local-athena.ts'
import { hiddenPartitionTests } from './hidden-partitions-suite.ts'

describe('Hidden partitions', () => {
  const local = localAthena('default')
  beforeAll(() => local().put('lake'))
  hiddenPartitionTests(() => local().athena, 60, 120_000)
})
