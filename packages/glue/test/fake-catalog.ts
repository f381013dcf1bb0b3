import type { Table, TableInput } from '@aws-sdk/client-glue'
import type { GlueSender } from '../src/index.ts'
import { fakeGlue, type SentCommand, serviceException } from './fake-glue.ts'
import { type CatalogFaults, fakePartitionCatalog } from './fake-partition-catalog.ts'

/**
 * A catalog in memory that keeps versions as Glue does. `before` may throw, or write as another program would. Partitions are
 * those of one table, whatever it is called.
 */
export const fakeCatalog = (
  before: (command: SentCommand) => void = () => undefined,
  faults: CatalogFaults = {},
) => {
  const ofPartitions = fakePartitionCatalog(faults)
  const databases = new Set<string>()
  const tables = new Map<string, Table>()
  const put = (database: string, input: TableInput, version: number) => {
    const name = input.Name!.toLowerCase()
    tables.set(`${database}.${name}`, {
      ...structuredClone(input),
      Name: name,
      DatabaseName: database,
      VersionId: String(version),
      CreatedBy: 'arn:aws:iam::1:user/x',
      UpdateTime: new Date(0),
    })
  }
  const { client, sent } = fakeGlue((command) => {
    before(command)
    const { operation, input } = command
    const key = `${input.DatabaseName}.${input.Name ?? input.TableInput?.Name}`.toLowerCase()
    const table = tables.get(key)
    const missing = serviceException('EntityNotFoundException')
    switch (operation) {
      case 'GetDatabase':
        if (!databases.has(input.Name)) throw missing
        return { Database: { Name: input.Name } }
      case 'CreateDatabase':
        databases.add(input.DatabaseInput.Name)
        return {}
      case 'GetTable':
        if (!table) throw missing
        return { Table: structuredClone(table) }
      case 'CreateTable':
        if (!databases.has(input.DatabaseName)) throw missing
        if (table) throw serviceException('AlreadyExistsException')
        put(input.DatabaseName, input.TableInput, 0)
        return {}
      case 'UpdateTable':
        if (!table) throw missing
        if (input.VersionId !== table.VersionId) throw serviceException('ConcurrentModificationException')
        put(input.DatabaseName, input.TableInput, Number(table.VersionId) + 1)
        return {}
      case 'DeleteTable':
        if (!tables.delete(key)) throw missing
        return {}
      default:
        return ofPartitions.answer(command)
    }
  })
  return {
    client: client as GlueSender,
    sent,
    databases,
    tables,
    partitions: ofPartitions.partitions,
    /** The operations that write, in order. */
    written: () => sent.map(({ operation }) => operation).filter((name) => !/^(?:Batch)?Get/.test(name)),
    /** Changes a table as another program would. */
    change(name: string, edit: (table: Table) => void) {
      const table = tables.get(name)!
      edit(table)
      table.VersionId = String(Number(table.VersionId) + 1)
    },
  }
}
