import {
  BatchGetPreparedStatementCommand,
  CreatePreparedStatementCommand,
  DeletePreparedStatementCommand,
  GetPreparedStatementCommand,
  paginateListPreparedStatements,
  UpdatePreparedStatementCommand,
} from '@aws-sdk/client-athena'
import { expect } from 'vitest'
import { type CaseAthena, invalidRequest } from './case-athena.ts'

export const describePreparedStatements = (athena: CaseAthena): void => {
  athena.concept('prepared statements', (it) => {
    const create = (WorkGroup: string, StatementName: string, QueryStatement = 'SELECT 1 AS x') =>
      athena.client.send(new CreatePreparedStatementCommand({ StatementName, WorkGroup, QueryStatement }))
    const get = async (WorkGroup: string, StatementName: string) =>
      (await athena.client.send(new GetPreparedStatementCommand({ StatementName, WorkGroup })))
        .PreparedStatement

    it('are found as they were made, changed and deleted', async () => {
      const WorkGroup = await athena.workGroup()
      await create(WorkGroup, 'bars')
      expect(await get(WorkGroup, 'bars')).toMatchObject({
        StatementName: 'bars',
        QueryStatement: 'SELECT 1 AS x',
        WorkGroupName: WorkGroup,
        LastModifiedTime: expect.any(Date),
      })
      await expect(create(WorkGroup, 'bars')).rejects.toMatchObject(invalidRequest())
      const change = { StatementName: 'bars', WorkGroup, QueryStatement: 'SELECT 2', Description: 'two' }
      await athena.client.send(new UpdatePreparedStatementCommand(change))
      expect(await get(WorkGroup, 'bars')).toMatchObject({ QueryStatement: 'SELECT 2', Description: 'two' })
      await athena.client.send(new DeletePreparedStatementCommand({ StatementName: 'bars', WorkGroup }))
      const gone = { name: 'ResourceNotFoundException' }
      await expect(get(WorkGroup, 'bars')).rejects.toMatchObject(gone)
      await expect(
        athena.client.send(new DeletePreparedStatementCommand({ StatementName: 'bars', WorkGroup })),
      ).rejects.toMatchObject(gone)
    })

    it('are of their work group, listed by pages and had in a batch', async () => {
      const [WorkGroup, other] = [await athena.workGroup(), await athena.workGroup()]
      for (const name of ['a', 'b', 'c']) await create(WorkGroup, name)
      await create(other, 'd')
      const names: (string | undefined)[] = []
      for await (const { PreparedStatements = [] } of paginateListPreparedStatements(
        { client: athena.client, pageSize: 2 },
        { WorkGroup },
      )) {
        expect(PreparedStatements.length).toBeLessThanOrEqual(2)
        names.push(...PreparedStatements.map(({ StatementName }) => StatementName))
      }
      expect(names.sort()).toEqual(['a', 'b', 'c'])
      const batch = await athena.client.send(
        new BatchGetPreparedStatementCommand({ WorkGroup, PreparedStatementNames: ['a', 'd'] }),
      )
      expect(batch.PreparedStatements).toMatchObject([{ StatementName: 'a' }])
      expect(batch.UnprocessedPreparedStatementNames).toMatchObject([{ StatementName: 'd' }])
    })

    it('have names that begin with a letter', async () => {
      await expect(create(await athena.workGroup(), '1x')).rejects.toMatchObject(invalidRequest())
    })

    it('are executed with values, in the statement or beside it', async () => {
      const WorkGroup = await athena.workGroup()
      const asked = { WorkGroup }
      await athena.run('PREPARE above FROM SELECT x FROM (VALUES 1, 2, 3) t(x) WHERE x > ? ORDER BY x', asked)
      expect(await get(WorkGroup, 'above')).toMatchObject({ StatementName: 'above' })
      expect(await athena.rows('EXECUTE above USING 1', asked)).toEqual([['2'], ['3']])
      expect(await athena.rows('EXECUTE above', { ...asked, ExecutionParameters: ['2'] })).toEqual([['3']])
      expect(await athena.failure('EXECUTE above', asked)).toMatch(
        /Incorrect number of parameters: expected 1 but found 0/,
      )
      await athena.run('DEALLOCATE PREPARE above', asked)
      expect(await athena.failure('EXECUTE above USING 1', asked)).toMatch(
        /Prepared statement not found: above/,
      )
    })

    it('made by the API are executed too, and are not seen from another work group', async () => {
      const WorkGroup = await athena.workGroup()
      await create(WorkGroup, 'mine', "SELECT x FROM (VALUES 'a', 'b') t(x) WHERE x = ?")
      expect(await athena.rows("EXECUTE mine USING 'a'", { WorkGroup })).toEqual([['a']])
      expect(await athena.failure("EXECUTE mine USING 'a'")).toMatch(/Prepared statement not found: mine/)
    })
  })

  athena.concept('explained statements', (it) => {
    it('tell of tables and columns, and run nothing', async () => {
      const database = await athena.database()
      const place = athena.place()
      await athena.run(
        `CREATE TABLE ticks WITH (format = 'PARQUET', external_location = '${place}') AS SELECT 1 AS size`,
        { database },
      )
      const plan = (await athena.lines('EXPLAIN SELECT size FROM ticks', { database })).join('\n')
      expect(plan).toMatch(/ticks/)
      expect(plan).toMatch(/size/)
      const keys = await athena.keys(place)
      await athena.run('EXPLAIN INSERT INTO ticks SELECT 2', { database })
      expect(await athena.keys(place)).toEqual(keys)
    })

    it('are checked', async () => {
      expect(await athena.lines('EXPLAIN (TYPE VALIDATE) SELECT 1')).toEqual(['true'])
      expect(await athena.failure('EXPLAIN SELECT nothing')).toMatch(/^COLUMN_NOT_FOUND: /)
    })
  })
}
