import {
  CreateDatabaseCommand,
  DeleteDatabaseCommand,
  GetDatabaseCommand,
  GetTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, refusal } from './case-catalog.ts'

export const describeTags = (catalog: CaseCatalog): void => {
  catalog.concept('tags', (it) => {
    const arnOf = async (Name: string) => {
      const { Database } = await catalog.client.send(new GetDatabaseCommand({ Name }))
      return `arn:aws:glue:us-east-1:${Database?.CatalogId}:database/${Name}`
    }
    const tagsOf = async (ResourceArn: string) =>
      (await catalog.client.send(new GetTagsCommand({ ResourceArn }))).Tags
    const tag = (ResourceArn: string, TagsToAdd: Record<string, string>) =>
      catalog.client.send(new TagResourceCommand({ ResourceArn, TagsToAdd }))

    it('of a new database are those it was made with', async () => {
      const Name = 'conformance_tagged'
      const Tags = { team: 'quant', empty: '' }
      await catalog.client.send(new CreateDatabaseCommand({ DatabaseInput: { Name }, Tags }))
      expect(await tagsOf(await arnOf(Name))).toEqual(Tags)
    })

    it('are added, replaced and removed', async () => {
      const arn = await arnOf(await catalog.database())
      expect(await tagsOf(arn)).toEqual({})
      await tag(arn, { a: '1', b: '2' })
      await tag(arn, { b: '3', c: '4' })
      expect(await tagsOf(arn)).toEqual({ a: '1', b: '3', c: '4' })
      await catalog.client.send(new UntagResourceCommand({ ResourceArn: arn, TagsToRemove: ['a', 'x'] }))
      expect(await tagsOf(arn)).toEqual({ b: '3', c: '4' })
    })

    it('go with their resource', async () => {
      const Name = await catalog.database()
      const arn = await arnOf(Name)
      await tag(arn, { a: '1' })
      await catalog.client.send(new DeleteDatabaseCommand({ Name }))
      await catalog.client.send(new CreateDatabaseCommand({ DatabaseInput: { Name } }))
      expect(await tagsOf(arn)).toEqual({})
    })

    it('of what is not there are EntityNotFoundException', async () => {
      const arn = (await arnOf(await catalog.database())).replace(/[^/]*$/, 'nowhere')
      await expect(tagsOf(arn)).rejects.toMatchObject(refusal('EntityNotFoundException'))
      await expect(tag(arn, { a: '1' })).rejects.toMatchObject(refusal('EntityNotFoundException'))
    })

    it('are 50 at most, and of none that begins with aws:', async () => {
      const arn = await arnOf(await catalog.database())
      const many = (start: number, count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${start + n}`, 'v']))
      await tag(arn, many(0, 50))
      await expect(tag(arn, many(50, 1))).rejects.toMatchObject(refusal('InvalidInputException'))
      await expect(tag(arn, { 'aws:x': '1' })).rejects.toMatchObject(refusal('InvalidInputException'))
      expect(Object.keys((await tagsOf(arn)) ?? {})).toHaveLength(50)
    })
  })
}
