import {
  BatchCreatePartitionCommand,
  type Column,
  CreateDatabaseCommand,
  CreateTableCommand,
  GetPartitionsCommand,
  GlueClient,
  type TableInput,
} from '@aws-sdk/client-glue'
import { describe, it } from 'vitest'

/** A Glue under test. */
export interface GlueSubject {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/**
 * Where a server is known not to do what Glue does, a sentence each. A concept (`partition indexes`) is left out; a case
 * (`tables > are listed by pages`) must fail, so that the list cannot outlive what it says.
 */
export type GlueDifferences = Readonly<Record<string, string>>

/** What names a table in most calls. */
export interface TableName {
  readonly DatabaseName: string
  readonly TableName: string
}

/** The service under test, open between the first case and the last, and the unmodified client that speaks to it. */
export class CaseCatalog {
  readonly #start: () => Promise<GlueSubject & AsyncDisposable>
  readonly #differences: GlueDifferences
  readonly #named = new Set<string>()
  #subject: (GlueSubject & AsyncDisposable) | undefined
  #client: GlueClient | undefined
  #databases = 0

  constructor(start: () => Promise<GlueSubject & AsyncDisposable>, differences: GlueDifferences) {
    this.#start = start
    this.#differences = differences
  }

  async open(): Promise<void> {
    const unknown = Object.keys(this.#differences).filter((name) => !this.#named.has(name))
    if (unknown.length > 0) throw new Error(`No case or concept is named: ${unknown.join('; ')}`)
    this.#subject = await this.#start()
    const { endpoint, region, accessKeyId, secretAccessKey } = this.#subject
    // It never tries again: what a case sees is the first answer.
    this.#client = new GlueClient({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
    })
  }

  async close(): Promise<void> {
    this.#client?.destroy()
    await this.#subject?.[Symbol.asyncDispose]()
  }

  get client(): GlueClient {
    if (!this.#client) throw new Error('The service under test has not started.')
    return this.#client
  }

  /** The cases of one concept. */
  concept(name: string, define: (glueCase: (title: string, run: () => Promise<void>) => void) => void): void {
    this.#named.add(name)
    const absent = this.#differences[name]
    const suite = absent === undefined ? describe : describe.skip
    suite(absent === undefined ? name : `${name} (${absent})`, () => {
      define((title, run) => {
        this.#named.add(`${name} > ${title}`)
        const difference = this.#differences[`${name} > ${title}`]
        if (difference === undefined) it(title, run)
        else it.fails(`${title} (${difference})`, run)
      })
    })
  }

  /** The name of a database of the case's own. */
  async database(): Promise<string> {
    this.#databases += 1
    const Name = `conformance_${this.#databases}`
    await this.client.send(new CreateDatabaseCommand({ DatabaseInput: { Name } }))
    return Name
  }

  /** A table of the case's own, in a database of its own. */
  async table(input: Partial<TableInput> = {}): Promise<TableName> {
    const DatabaseName = await this.database()
    const TableInput = tableInput(input)
    await this.client.send(new CreateTableCommand({ DatabaseName, TableInput }))
    return { DatabaseName, TableName: TableInput.Name as string }
  }

  /** A table with partitions of these values, keys of these types. */
  async partitionedTable(
    PartitionKeys: readonly Column[],
    values: readonly (readonly string[])[],
  ): Promise<TableName> {
    const table = await this.table({ PartitionKeys: [...PartitionKeys] })
    for (let start = 0; start < values.length; start += 100) {
      const PartitionInputList = values.slice(start, start + 100).map(partitionInput)
      await this.client.send(new BatchCreatePartitionCommand({ ...table, PartitionInputList }))
    }
    return table
  }

  /** The values of the partitions that an expression gives, sorted. */
  async valuesOf(table: TableName, Expression?: string): Promise<string[][]> {
    const { Partitions } = await this.client.send(new GetPartitionsCommand({ ...table, Expression }))
    return (Partitions ?? []).map((partition) => partition.Values ?? []).sort()
  }
}

const parquet = 'org.apache.hadoop.hive.ql.io.parquet'

/** A storage descriptor of a Parquet table. */
export const storageDescriptor = (Location: string) => ({
  Columns: [
    { Name: 'price', Type: 'decimal(18,4)', Comment: 'a price' },
    { Name: 'size', Type: 'bigint' },
  ],
  Location,
  InputFormat: `${parquet}.MapredParquetInputFormat`,
  OutputFormat: `${parquet}.MapredParquetOutputFormat`,
  SerdeInfo: {
    SerializationLibrary: `${parquet}.serde.ParquetHiveSerDe`,
    Parameters: { 'serialization.format': '1' },
  },
})

export const tableInput = (input: Partial<TableInput> = {}): TableInput => ({
  Name: 'trades',
  TableType: 'EXTERNAL_TABLE',
  Parameters: { classification: 'parquet', EXTERNAL: 'TRUE' },
  StorageDescriptor: storageDescriptor('s3://lake/trades/'),
  PartitionKeys: [{ Name: 'dt', Type: 'string' }],
  ...input,
})

export const partitionInput = (values: readonly string[]) => ({
  Values: [...values],
  StorageDescriptor: storageDescriptor(`s3://lake/trades/${values.map(encodeURIComponent).join('/')}/`),
})

/** What a refusal looks like to a client. */
export const refusal = (name: string) => ({ name, $metadata: { httpStatusCode: 400 } })
