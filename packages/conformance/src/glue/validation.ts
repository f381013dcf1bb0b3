import {
  type Column,
  CreateDatabaseCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  GetDatabasesCommand,
  type TableInput,
} from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, refusal, storageDescriptor, tableInput } from './case-catalog.ts'

const column = (input: Partial<Column>) => ({
  StorageDescriptor: { ...storageDescriptor('s3://lake/'), Columns: [{ Name: 'a', Type: 'int', ...input }] },
})

/** What is beyond a limit of the service's model, and the member that the refusal names. */
const refused: readonly (readonly [string, Partial<TableInput>, string])[] = [
  ['a name of 256 characters', { Name: 'x'.repeat(256) }, 'tableInput.name'],
  ['a name without a character', { Name: '' }, 'tableInput.name'],
  ['a name with a line break', { Name: 'a\nb' }, 'tableInput.name'],
  ['a description of 2,049 characters', { Description: 'x'.repeat(2049) }, 'tableInput.description'],
  ['a negative retention', { Retention: -1 }, 'tableInput.retention'],
  ['a table type of 256 characters', { TableType: 'x'.repeat(256) }, 'tableInput.tableType'],
  ['a parameter name of 256 characters', { Parameters: { ['x'.repeat(256)]: '' } }, 'tableInput.parameters'],
  ['a parameter of 512,001 characters', { Parameters: { a: 'x'.repeat(512_001) } }, 'tableInput.parameters'],
  [
    'a location of 2,057 characters',
    { StorageDescriptor: storageDescriptor(`s3://${'x'.repeat(2052)}`) },
    'tableInput.storageDescriptor.location',
  ],
  [
    'a column name of 256 characters',
    column({ Name: 'x'.repeat(256) }),
    'tableInput.storageDescriptor.columns.1.member.name',
  ],
  [
    'a column type of 131,073 characters',
    column({ Type: 'x'.repeat(131_073) }),
    'tableInput.storageDescriptor.columns.1.member.type',
  ],
  [
    'a column comment of 256 characters',
    column({ Comment: 'x'.repeat(256) }),
    'tableInput.storageDescriptor.columns.1.member.comment',
  ],
]

export const describeValidation = (catalog: CaseCatalog): void => {
  catalog.concept('validation', (it) => {
    for (const [what, input, member] of refused) {
      it(`refuses ${what}`, async () => {
        const DatabaseName = await catalog.database()
        const request: CreateTableCommandInput = { DatabaseName, TableInput: tableInput(input) }
        await expect(catalog.client.send(new CreateTableCommand(request))).rejects.toMatchObject({
          ...refusal('ValidationException'),
          message: expect.stringContaining(`at '${member}`),
        })
      })
    }

    it('takes what is just within the limits', async () => {
      const name = 'x'.repeat(255)
      const table = await catalog.table({
        Name: name,
        Description: 'a\r\n\tb 🚀',
        Parameters: { [name]: 'x'.repeat(512_000) },
        ...column({ Name: name, Type: 'x'.repeat(131_072), Comment: name }),
      })
      expect(table.TableName).toBe(name)
    })

    it('refuses a page of more than 100 databases', async () => {
      await expect(catalog.client.send(new GetDatabasesCommand({ MaxResults: 101 }))).rejects.toMatchObject(
        refusal('ValidationException'),
      )
    })

    it('refuses a database without a name', async () => {
      const nameless = new CreateDatabaseCommand({ DatabaseInput: { Name: undefined } })
      await expect(catalog.client.send(nameless)).rejects.toMatchObject(refusal('ValidationException'))
    })
  })
}
