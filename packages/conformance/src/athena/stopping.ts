import { GetQueryResultsCommand, StopQueryExecutionCommand } from '@aws-sdk/client-athena'
import { expect } from 'vitest'
import { type CaseAthena, invalidRequest } from './case-athena.ts'

/** A query that would run for hours. */
const endless = `SELECT count(*) FROM ${['a', 'b', 'c', 'd', 'e'].map((name) => `UNNEST(sequence(1, 10000)) t${name}(${name})`).join(' CROSS JOIN ')} WHERE a + b * c > d - e`

export const describeStopping = (athena: CaseAthena): void => {
  athena.concept('stopping a query', (it) => {
    const stop = (QueryExecutionId: string) =>
      athena.client.send(new StopQueryExecutionCommand({ QueryExecutionId }))

    it('cancels one that runs, and leaves no result', async () => {
      const id = await athena.start(endless)
      await athena.reaches(id, 'RUNNING')
      const answer = athena.client.send(new GetQueryResultsCommand({ QueryExecutionId: id }))
      await expect(answer).rejects.toMatchObject({
        ...invalidRequest(),
        message: expect.stringMatching(/^Query has not yet finished. Current state: RUNNING/),
      })
      await stop(id)
      const { Status } = await athena.reaches(id, 'CANCELLED', 'SUCCEEDED', 'FAILED')
      expect(Status).toMatchObject({ State: 'CANCELLED', CompletionDateTime: expect.any(Date) })
      const later = athena.client.send(new GetQueryResultsCommand({ QueryExecutionId: id }))
      await expect(later).rejects.toMatchObject({
        ...invalidRequest(),
        message: expect.stringMatching(/Final query state: CANCELLED/),
      })
      expect(await athena.rows('SELECT 1')).toEqual([['1']])
    })

    it('that has ended changes nothing', async () => {
      const { id } = await athena.run('SELECT 1')
      await stop(id)
      expect((await athena.execution(id)).Status?.State).toBe('SUCCEEDED')
      expect(
        (await athena.client.send(new GetQueryResultsCommand({ QueryExecutionId: id }))).ResultSet?.Rows,
      ).toHaveLength(2)
    })
  })
}
