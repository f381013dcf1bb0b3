import {
  GetDatabaseCommand,
  GetDataCatalogCommand,
  GetTableMetadataCommand,
  ListDataCatalogsCommand,
  ListTableMetadataCommand,
  paginateListDatabases,
  paginateListTableMetadata,
} from '@aws-sdk/client-athena'
import { expect } from 'vitest'
import { type CaseAthena, invalidRequest } from './case-athena.ts'
import { tableOfDays } from './market-tables.ts'

const CatalogName = 'AwsDataCatalog'

export const describeCatalogMetadata = (athena: CaseAthena): void => {
  athena.concept('catalog metadata', (it) => {
    it('has the catalog of Glue', async () => {
      const { DataCatalogsSummary = [] } = await athena.client.send(new ListDataCatalogsCommand({}))
      expect(DataCatalogsSummary).toContainEqual(expect.objectContaining({ CatalogName, Type: 'GLUE' }))
      const { DataCatalog } = await athena.client.send(new GetDataCatalogCommand({ Name: CatalogName }))
      expect(DataCatalog).toMatchObject({ Name: CatalogName, Type: 'GLUE' })
    })

    it('has databases, by pages', async () => {
      const made = [await athena.database(), await athena.database(), await athena.database()]
      const listed: (string | undefined)[] = []
      for await (const { DatabaseList = [] } of paginateListDatabases(
        { client: athena.client, pageSize: 2 },
        { CatalogName },
      )) {
        expect(DatabaseList.length).toBeLessThanOrEqual(2)
        listed.push(...DatabaseList.map(({ Name }) => Name))
      }
      expect(listed).toEqual(expect.arrayContaining(made))
      expect(new Set(listed).size).toBe(listed.length)
      const { Database } = await athena.client.send(
        new GetDatabaseCommand({ CatalogName, DatabaseName: made[0] }),
      )
      expect(Database).toMatchObject({ Name: made[0] })
    })

    it('has tables with their columns, keys and properties', async () => {
      const place = athena.place()
      const { database } = await tableOfDays(athena, place, { properties: { note: 'x' } })
      const { TableMetadata } = await athena.client.send(
        new GetTableMetadataCommand({ CatalogName, DatabaseName: database, TableName: 'ticks' }),
      )
      expect(TableMetadata).toMatchObject({
        Name: 'ticks',
        TableType: 'EXTERNAL_TABLE',
        CreateTime: expect.any(Date),
        Columns: [
          { Name: 'symbol', Type: 'string' },
          { Name: 'size', Type: 'int' },
        ],
        PartitionKeys: [{ Name: 'dt', Type: 'string' }],
        Parameters: {
          EXTERNAL: 'TRUE',
          note: 'x',
          location: expect.stringMatching(new RegExp(`^${place}?$`)),
          inputformat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
          outputformat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
          'serde.param.serialization.format': '1',
          'serde.serialization.lib': 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
        },
      })
    })

    it('has tables by a regular expression and by pages', async () => {
      const database = await athena.database()
      for (const name of ['trades_a', 'trades_b', 'trades_c', 'quotes']) {
        const sql = `CREATE EXTERNAL TABLE ${name} (a int) STORED AS PARQUET LOCATION '${athena.place()}'`
        await athena.run(sql, { database })
      }
      const names: (string | undefined)[] = []
      for await (const { TableMetadataList = [] } of paginateListTableMetadata(
        { client: athena.client, pageSize: 2 },
        { CatalogName, DatabaseName: database, Expression: 'trades_.*' },
      )) {
        expect(TableMetadataList.length).toBeLessThanOrEqual(2)
        names.push(...TableMetadataList.map(({ Name }) => Name))
      }
      expect(names).toEqual(['trades_a', 'trades_b', 'trades_c'])
    })

    it('of what is not there is MetadataException', async () => {
      const database = await athena.database()
      const absent = { name: 'MetadataException', message: expect.stringMatching(/EntityNotFoundException/) }
      for (const asked of [
        athena.client.send(new GetDatabaseCommand({ CatalogName, DatabaseName: 'nothing' })),
        athena.client.send(new ListTableMetadataCommand({ CatalogName, DatabaseName: 'nothing' })),
        athena.client.send(
          new GetTableMetadataCommand({ CatalogName, DatabaseName: database, TableName: 'nothing' }),
        ),
      ]) {
        await expect(asked).rejects.toMatchObject(absent)
      }
    })

    it('has pages of 50 at most', async () => {
      const asked = { CatalogName, DatabaseName: await athena.database(), MaxResults: 51 }
      const answer = athena.client.send(new ListTableMetadataCommand(asked))
      await expect(answer).rejects.toMatchObject(invalidRequest())
    })
  })
}
