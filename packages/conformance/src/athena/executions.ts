import {
  BatchGetQueryExecutionCommand,
  GetQueryExecutionCommand,
  GetQueryRuntimeStatisticsCommand,
  ListQueryExecutionsCommand,
  paginateListQueryExecutions,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { expect } from 'vitest'
import { type CaseAthena, invalidRequest } from './case-athena.ts'

/** Statements, and how Athena sorts them. */
const kinds: Readonly<Record<string, readonly [type: string, substatement: string]>> = {
  'SELECT 1': ['DML', 'SELECT'],
  'WITH t AS (SELECT 1 AS x) SELECT x FROM t': ['DML', 'SELECT'],
  'SHOW TABLES': ['UTILITY', 'SHOW_TABLES'],
  'CREATE DATABASE IF NOT EXISTS sorted': ['DDL', 'CREATE_DATABASE'],
}

export const describeExecutions = (athena: CaseAthena): void => {
  athena.concept('query executions', (it) => {
    it('tell what was asked, and how it went', async () => {
      const database = await athena.database()
      const execution = await athena.run('SELECT 1 AS one', { database })
      expect(execution).toMatchObject({
        Query: 'SELECT 1 AS one',
        StatementType: 'DML',
        WorkGroup: 'primary',
        QueryExecutionContext: { Database: database },
        ResultConfiguration: { OutputLocation: `s3://results/${execution.id}.csv` },
        EngineVersion: { EffectiveEngineVersion: 'Athena engine version 3' },
        Status: {
          State: 'SUCCEEDED',
          SubmissionDateTime: expect.any(Date),
          CompletionDateTime: expect.any(Date),
        },
        Statistics: {
          DataScannedInBytes: 0,
          EngineExecutionTimeInMillis: expect.any(Number),
          TotalExecutionTimeInMillis: expect.any(Number),
          QueryQueueTimeInMillis: expect.any(Number),
        },
      })
      const { SubmissionDateTime, CompletionDateTime } = execution.Status ?? {}
      const { Statistics } = execution
      expect(CompletionDateTime?.getTime()).toBeGreaterThanOrEqual(
        SubmissionDateTime?.getTime() ?? Number.NaN,
      )
      expect(Statistics?.TotalExecutionTimeInMillis).toBeGreaterThanOrEqual(
        Statistics?.EngineExecutionTimeInMillis ?? Number.NaN,
      )
    })

    for (const [sql, [StatementType, SubstatementType]] of Object.entries(kinds)) {
      it(`of ${sql} are ${StatementType} and ${SubstatementType}`, async () => {
        const database = await athena.database()
        expect(await athena.run(sql, { database })).toMatchObject({ StatementType, SubstatementType })
      })
    }

    it('are had in a batch, which says of each that is not there', async () => {
      const ids = [(await athena.run('SELECT 1')).id, (await athena.run('SELECT 2')).id]
      const absent = '00000000-0000-4000-8000-000000000000'
      const { QueryExecutions, UnprocessedQueryExecutionIds } = await athena.client.send(
        new BatchGetQueryExecutionCommand({ QueryExecutionIds: [...ids, absent] }),
      )
      expect(QueryExecutions?.map((one) => one.QueryExecutionId).sort()).toEqual([...ids].sort())
      expect(UnprocessedQueryExecutionIds).toMatchObject([
        { QueryExecutionId: absent, ErrorCode: expect.any(String), ErrorMessage: expect.any(String) },
      ])
    })

    it('are 50 in a batch at most', async () => {
      const asked = { QueryExecutionIds: Array.from({ length: 51 }, (_, i) => `id-${i}`) }
      const answer = athena.client.send(new BatchGetQueryExecutionCommand(asked))
      await expect(answer).rejects.toMatchObject(invalidRequest())
    })

    it('are listed by work group, the newest first, by pages of 50 at most', async () => {
      const WorkGroup = await athena.workGroup()
      const ids: string[] = []
      for (let i = 0; i < 5; i += 1) ids.push((await athena.run(`SELECT ${i}`, { WorkGroup })).id)
      const listed: string[] = []
      for await (const { QueryExecutionIds = [] } of paginateListQueryExecutions(
        { client: athena.client, pageSize: 2 },
        { WorkGroup },
      )) {
        expect(QueryExecutionIds.length).toBeLessThanOrEqual(2)
        listed.push(...QueryExecutionIds)
      }
      expect(listed).toEqual(ids.reverse())
      const answer = athena.client.send(new ListQueryExecutionsCommand({ WorkGroup, MaxResults: 51 }))
      await expect(answer).rejects.toMatchObject(invalidRequest())
    })

    it('that are not there are invalid requests', async () => {
      const QueryExecutionId = '00000000-0000-4000-8000-000000000000'
      for (const answer of [
        athena.client.send(new GetQueryExecutionCommand({ QueryExecutionId })),
        athena.client.send(new StopQueryExecutionCommand({ QueryExecutionId })),
        athena.client.send(new GetQueryRuntimeStatisticsCommand({ QueryExecutionId })),
      ]) {
        await expect(answer).rejects.toMatchObject({
          ...invalidRequest(),
          message: expect.stringMatching(new RegExp(`QueryExecution ${QueryExecutionId} was not found`)),
        })
      }
    })

    it('have statistics of their run', async () => {
      const { id: QueryExecutionId } = await athena.run('SELECT * FROM UNNEST(sequence(1, 5))')
      const { QueryRuntimeStatistics } = await athena.client.send(
        new GetQueryRuntimeStatisticsCommand({ QueryExecutionId }),
      )
      expect(QueryRuntimeStatistics).toMatchObject({
        Timeline: { TotalExecutionTimeInMillis: expect.any(Number) },
        Rows: { OutputRows: 5 },
      })
    })
  })
}
