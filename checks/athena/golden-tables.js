import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/workspace.js'

const goldenFolder = join(root, 'packages', 'local', 'test', 'golden')
const bucket = 'golden'

/** The database of the golden tables. */
export const goldenDatabase = 'golden'

const read = (file) => JSON.parse(readFileSync(join(goldenFolder, file), 'utf8'))

const column = ([Name, Type]) => ({ Name, Type })

const storageDescriptor = (columns, location) => ({
  Columns: columns.map(column),
  Location: location,
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
  SerdeInfo: {
    SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
    Parameters: { 'serialization.format': '1' },
  },
})

/** Puts the files of the golden tables into a stack's S3, and the tables with their partitions into its Glue. */
export const putGoldenTables = async ({ s3, glue }) => {
  await s3.createBucket({ Bucket: bucket })
  await glue.createDatabase({ DatabaseInput: { Name: goldenDatabase } })
  for (const [name, { columns, partitionKeys }] of Object.entries(read('tables.json'))) {
    const location = `s3://${bucket}/${name}`
    const files = readdirSync(join(goldenFolder, 'data', name), { recursive: true })
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => file.endsWith('.parquet'))
    for (const file of files) {
      const Body = readFileSync(join(goldenFolder, 'data', name, file))
      await s3.putObject({ Bucket: bucket, Key: `${name}/${file}`, Body })
    }
    await glue.createTable({
      DatabaseName: goldenDatabase,
      TableInput: {
        Name: name,
        TableType: 'EXTERNAL_TABLE',
        Parameters: { classification: 'parquet', EXTERNAL: 'TRUE' },
        PartitionKeys: partitionKeys.map(column),
        StorageDescriptor: storageDescriptor(columns, location),
      },
    })
    if (partitionKeys.length === 0) continue
    const folders = new Set(files.map((file) => file.slice(0, file.lastIndexOf('/'))))
    const { Errors } = await glue.batchCreatePartition({
      DatabaseName: goldenDatabase,
      TableName: name,
      PartitionInputList: [...folders].map((folder) => ({
        Values: folder.split('/').map((part) => part.slice(part.indexOf('=') + 1)),
        StorageDescriptor: storageDescriptor(columns, `${location}/${folder}`),
      })),
    })
    if (Errors?.length > 0) throw new Error(`partitions were refused: ${JSON.stringify(Errors)}`)
  }
}

/** The golden statements: `name` for those that have one. */
export const goldenStatements = () => {
  return [
    ...Object.entries(read('answers.json').queries).map(([name, { sql }]) => ({ kind: 'query', name, sql })),
    ...read('expressions.json').map(({ sql }) => ({ kind: 'expression', name: sql, sql })),
  ]
}
