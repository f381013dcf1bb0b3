import {
  CreateUserDefinedFunctionCommand,
  DeleteUserDefinedFunctionCommand,
  GetUserDefinedFunctionCommand,
  paginateGetUserDefinedFunctions,
  UpdateUserDefinedFunctionCommand,
  type UserDefinedFunctionInput,
} from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, refusal } from './case-catalog.ts'

const functionInput = (FunctionName: string): UserDefinedFunctionInput => ({
  FunctionName,
  ClassName: 'com.example.Vwap',
  OwnerName: 'quant',
  OwnerType: 'USER',
  ResourceUris: [{ ResourceType: 'JAR', Uri: 's3://lake/vwap.jar' }],
})

export const describeFunctions = (catalog: CaseCatalog): void => {
  catalog.concept('user-defined functions', (it) => {
    const create = (DatabaseName: string, name: string) =>
      catalog.client.send(
        new CreateUserDefinedFunctionCommand({ DatabaseName, FunctionInput: functionInput(name) }),
      )
    const get = async (DatabaseName: string, FunctionName: string) =>
      (await catalog.client.send(new GetUserDefinedFunctionCommand({ DatabaseName, FunctionName })))
        .UserDefinedFunction

    it('are found with what was given and the time they were made', async () => {
      const DatabaseName = await catalog.database()
      await create(DatabaseName, 'vwap')
      const found = await get(DatabaseName, 'vwap')
      expect(found).toMatchObject({ ...functionInput('vwap'), DatabaseName })
      expect(found?.CreateTime).toBeInstanceOf(Date)
      await expect(create(DatabaseName, 'vwap')).rejects.toMatchObject(refusal('AlreadyExistsException'))
    })

    it('are listed by a pattern, by pages', async () => {
      const DatabaseName = await catalog.database()
      for (const name of ['vwap', 'vwma', 'ema']) await create(DatabaseName, name)
      const found: (string | undefined)[] = []
      for await (const { UserDefinedFunctions = [] } of paginateGetUserDefinedFunctions(
        { client: catalog.client, pageSize: 1 },
        { DatabaseName, Pattern: 'vw*' },
      )) {
        expect(UserDefinedFunctions).toHaveLength(1)
        found.push(...UserDefinedFunctions.map(({ FunctionName }) => FunctionName))
      }
      expect(found).toEqual(['vwap', 'vwma'])
    })

    it('are replaced by an update, and removed', async () => {
      const DatabaseName = await catalog.database()
      await create(DatabaseName, 'vwap')
      const name = { DatabaseName, FunctionName: 'vwap' }
      const FunctionInput = { FunctionName: 'vwap', ClassName: 'com.example.Other' }
      await catalog.client.send(new UpdateUserDefinedFunctionCommand({ ...name, FunctionInput }))
      const found = await get(DatabaseName, 'vwap')
      expect(found).toMatchObject(FunctionInput)
      expect(found?.OwnerName).toBeUndefined()
      await catalog.client.send(new DeleteUserDefinedFunctionCommand(name))
      await expect(get(DatabaseName, 'vwap')).rejects.toMatchObject(refusal('EntityNotFoundException'))
    })
  })
}
