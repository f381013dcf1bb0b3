import {
  BatchGetNamedQueryCommand,
  CreateNamedQueryCommand,
  type CreateNamedQueryCommandInput,
  DeleteNamedQueryCommand,
  GetNamedQueryCommand,
  paginateListNamedQueries,
  UpdateNamedQueryCommand,
} from '@aws-sdk/client-athena'
import { expect } from 'vitest'
import { type CaseAthena, invalidRequest } from './case-athena.ts'

export const describeNamedQueries = (athena: CaseAthena): void => {
  athena.concept('named queries', (it) => {
    const create = async (more: Partial<CreateNamedQueryCommandInput> = {}) => {
      const query = { Name: 'daily', Database: 'market', QueryString: 'SELECT 1', ...more }
      return (await athena.client.send(new CreateNamedQueryCommand(query))).NamedQueryId ?? ''
    }
    const get = async (NamedQueryId: string) =>
      (await athena.client.send(new GetNamedQueryCommand({ NamedQueryId }))).NamedQuery

    it('are found as they were made, and changed', async () => {
      const NamedQueryId = await create({ Description: 'each day' })
      expect(await get(NamedQueryId)).toMatchObject({
        NamedQueryId,
        Name: 'daily',
        Database: 'market',
        QueryString: 'SELECT 1',
        Description: 'each day',
        WorkGroup: 'primary',
      })
      const change = { NamedQueryId, Name: 'hourly', QueryString: 'SELECT 2' }
      await athena.client.send(new UpdateNamedQueryCommand(change))
      expect(await get(NamedQueryId)).toMatchObject(change)
    })

    it('made twice with one client token are one', async () => {
      const ClientRequestToken = `${athena.name('token')}-`.padEnd(32, 'n')
      const id = await create({ ClientRequestToken })
      expect(await create({ ClientRequestToken })).toBe(id)
      await expect(create({ ClientRequestToken, Name: 'other' })).rejects.toMatchObject(invalidRequest())
    })

    it('are listed by work group and by pages, had in a batch and deleted', async () => {
      const WorkGroup = await athena.workGroup()
      const ids = [await create({ WorkGroup }), await create({ WorkGroup }), await create({ WorkGroup })]
      const listed: string[] = []
      for await (const { NamedQueryIds = [] } of paginateListNamedQueries(
        { client: athena.client, pageSize: 2 },
        { WorkGroup },
      )) {
        expect(NamedQueryIds.length).toBeLessThanOrEqual(2)
        listed.push(...NamedQueryIds)
      }
      expect(listed.sort()).toEqual([...ids].sort())
      const [gone = ''] = ids
      await athena.client.send(new DeleteNamedQueryCommand({ NamedQueryId: gone }))
      const batch = await athena.client.send(new BatchGetNamedQueryCommand({ NamedQueryIds: ids }))
      expect(batch.NamedQueries).toHaveLength(2)
      expect(batch.UnprocessedNamedQueryIds).toMatchObject([{ NamedQueryId: gone }])
      await expect(get(gone)).rejects.toMatchObject(invalidRequest())
    })

    it('have names of 128 characters at most', async () => {
      await expect(create({ Name: 'n'.repeat(129) })).rejects.toMatchObject(invalidRequest())
    })
  })
}
