import {
  BatchDeleteTableVersionCommand,
  DeleteTableVersionCommand,
  GetTableCommand,
  GetTableVersionCommand,
  paginateGetTableVersions,
  UpdateTableCommand,
  type UpdateTableCommandInput,
} from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, refusal, type TableName, tableInput } from './case-catalog.ts'

export const describeTableVersions = (catalog: CaseCatalog): void => {
  catalog.concept('table versions', (it) => {
    const update = (
      { DatabaseName, TableName }: TableName,
      Description: string,
      options: Partial<UpdateTableCommandInput> = {},
    ) => {
      const TableInput = tableInput({ Name: TableName, Description })
      return catalog.client.send(new UpdateTableCommand({ DatabaseName, TableInput, ...options }))
    }
    const current = async ({ DatabaseName, TableName: Name }: TableName) =>
      (await catalog.client.send(new GetTableCommand({ DatabaseName, Name }))).Table?.VersionId ?? ''
    const version = async (table: TableName, VersionId?: string) =>
      (await catalog.client.send(new GetTableVersionCommand({ ...table, VersionId }))).TableVersion
    /** Version and description of each, as listed. */
    const versions = async (table: TableName, pageSize = 100) => {
      const found: (string | undefined)[][] = []
      for await (const { TableVersions = [] } of paginateGetTableVersions(
        { client: catalog.client, pageSize },
        table,
      )) {
        expect(TableVersions.length).toBeLessThanOrEqual(pageSize)
        found.push(...TableVersions.map((one) => [one.VersionId, one.Table?.Description]))
      }
      return found
    }

    it('begin with 0 and go up by one with each update', async () => {
      const table = await catalog.table()
      expect(await current(table)).toBe('0')
      await update(table, 'one')
      expect(await current(table)).toBe('1')
    })

    it('that an update replaces are kept', async () => {
      const table = await catalog.table({ Description: 'first' })
      const first = await current(table)
      await update(table, 'second')
      const found = await versions(table)
      expect(found.toSorted()).toEqual([
        [first, 'first'],
        [await current(table), 'second'],
      ])
      expect((await version(table, first))?.Table?.Description).toBe('first')
    })

    it('are listed from the newest on, by pages', async () => {
      const table = await catalog.table()
      for (const description of ['a', 'b', 'c', 'd']) await update(table, description)
      expect((await versions(table, 2)).map(([, description]) => description)).toEqual([
        'd',
        'c',
        'b',
        'a',
        undefined,
      ])
    })

    it('without an id are the current one', async () => {
      const table = await catalog.table()
      await update(table, 'current')
      expect((await version(table))?.Table?.Description).toBe('current')
    })

    it('that are not there are EntityNotFoundException', async () => {
      await expect(version(await catalog.table(), '999')).rejects.toMatchObject(
        refusal('EntityNotFoundException'),
      )
    })

    it('replaced with SkipArchive are not kept', async () => {
      const table = await catalog.table()
      await update(table, 'next', { SkipArchive: true })
      expect((await versions(table)).map(([, description]) => description)).toEqual(['next'])
    })

    it('that an update names must be the current one, else ConcurrentModificationException', async () => {
      const table = await catalog.table()
      const seen = await current(table)
      await update(table, 'mine', { VersionId: seen })
      await expect(update(table, 'theirs', { VersionId: seen })).rejects.toMatchObject(
        refusal('ConcurrentModificationException'),
      )
      expect((await version(table, await current(table)))?.Table?.Description).toBe('mine')
    })

    it('can be removed once they are replaced', async () => {
      const table = await catalog.table()
      const first = await current(table)
      await update(table, 'second')
      await catalog.client.send(new DeleteTableVersionCommand({ ...table, VersionId: first }))
      expect((await versions(table)).map(([, description]) => description)).toEqual(['second'])
      await expect(version(table, first)).rejects.toMatchObject(refusal('EntityNotFoundException'))
    })

    it('are not removed while they are the current one', async () => {
      const table = await catalog.table()
      const VersionId = await current(table)
      const removal = catalog.client.send(new DeleteTableVersionCommand({ ...table, VersionId }))
      await expect(removal).rejects.toMatchObject(refusal('InvalidInputException'))
    })

    it('are removed in a batch that tells of each that is not there', async () => {
      const table = await catalog.table()
      for (const description of ['a', 'b', 'c']) await update(table, description)
      const command = new BatchDeleteTableVersionCommand({ ...table, VersionIds: ['0', '7', '1'] })
      const { Errors } = await catalog.client.send(command)
      expect(Errors).toMatchObject([
        { TableName: 'trades', VersionId: '7', ErrorDetail: { ErrorCode: 'EntityNotFoundException' } },
      ])
      expect((await versions(table)).map(([id]) => id)).toEqual(['3', '2'])
    })
  })
}
