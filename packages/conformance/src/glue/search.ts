import { CreateTableCommand, paginateSearchTables, type SearchTablesCommandInput } from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import { type CaseCatalog, tableInput } from './case-catalog.ts'

export const describeSearch = (catalog: CaseCatalog): void => {
  catalog.concept('table search', (it) => {
    const search = async (request: Partial<SearchTablesCommandInput>, pageSize = 100) => {
      const found: (string | undefined)[] = []
      for await (const { TableList = [] } of paginateSearchTables(
        { client: catalog.client, pageSize },
        request,
      )) {
        expect(TableList.length).toBeLessThanOrEqual(pageSize)
        found.push(...TableList.map(({ Name }) => Name))
      }
      return found
    }

    it('finds tables of all databases by a text and by conditions, in an order, by pages', async () => {
      const databases = [await catalog.database(), await catalog.database()] as const
      const make = (DatabaseName: string, Name: string, Description: string) => {
        const Parameters = { feed: Name.startsWith('nasdaq') ? 'itch' : 'sip' }
        const TableInput = tableInput({ Name, Description, Parameters })
        return catalog.client.send(new CreateTableCommand({ DatabaseName, TableInput }))
      }
      await make(databases[0], 'nasdaq_depth', 'searched: levels of the book')
      await make(databases[1], 'nyse_depth', 'searched: levels of the book')
      await make(databases[1], 'nyse_closes', 'searched')
      expect((await search({ SearchText: 'SEARCHED: LEVELS' })).sort()).toEqual([
        'nasdaq_depth',
        'nyse_depth',
      ])
      expect(await search({ SearchText: '"searched"' })).toEqual(['nyse_closes'])
      const Filters = [{ Key: 'Name', Value: 'depth' }]
      expect(await search({ Filters: [...Filters, { Key: 'DatabaseName', Value: databases[0] }] })).toEqual([
        'nasdaq_depth',
      ])
      expect(await search({ Filters: [{ Key: 'Name', Value: 'dep' }] })).toEqual([])
      const SortCriteria = [{ FieldName: 'Name', Sort: 'DESC' as const }]
      expect(await search({ SearchText: 'searched', SortCriteria }, 1)).toEqual([
        'nyse_depth',
        'nyse_closes',
        'nasdaq_depth',
      ])
    })
  })
}
