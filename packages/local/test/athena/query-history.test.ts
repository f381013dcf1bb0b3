import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { columnInfoOf } from '../../src/athena/column-info.ts'
import type { QueryExecution } from '../../src/athena/query-execution.ts'
import { QueryHistory } from '../../src/athena/query-history.ts'
import { withoutFsync } from '../../src/durability.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'history-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const primary = { name: 'primary', creationTime: 0 }
const queued = (id: string, more: Partial<QueryExecution> = {}): QueryExecution => ({
  id,
  sql: 'select 1',
  statementType: 'DML',
  substatementType: 'SELECT',
  catalog: 'AwsDataCatalog',
  database: 'market',
  workGroup: 'primary',
  outputLocation: `s3://results/${id}.csv`,
  submittedMillis: 1,
  state: 'QUEUED',
  ...more,
})

it('forgets the oldest that have ended by what their columns, reasons and parameters take, none that runs', () => {
  const history = new QueryHistory(directory, withoutFsync)
  const columns = Array.from({ length: 1000 }, () => columnInfoOf({ name: 'a', type: 'bigint' }))
  history.add(queued('running'))
  for (let at = 0; at < 400; at += 1) {
    const execution = queued(`q${at}`, {
      parameters: ['x'.repeat(1000)],
      clientRequest: { token: `t${at}`, digest: '' },
    })
    history.add(execution)
    history.update({ ...execution, state: 'SUCCEEDED', columns })
  }
  const ids = history.list(primary).map((one) => one.id)
  expect(ids.at(-1)).toBe('running')
  expect(ids.length).toBeLessThan(200)
  expect(ids.slice(0, -1)).toEqual(Array.from({ length: ids.length - 1 }, (_, at) => `q${399 - at}`))
  expect(history.findByToken('t0')).toBeUndefined()
  expect(history.findByToken('t399')?.id).toBe('q399')
  history.close()
  const again = new QueryHistory(directory, withoutFsync)
  expect(again.list(primary).map((one) => one.id)).toEqual(ids)
  expect(again.find('running')?.state).toBe('FAILED')
  again.close()
})
