import type {
  DatabaseIntrospector,
  DatabaseMetadata,
  DatabaseMetadataOptions,
  SchemaMetadata,
  TableMetadata,
} from 'kysely'
import type { Athena } from '../athena.ts'

/** Schemas and tables as the catalog has them, partition keys after the columns as in `SELECT *`. */
export class AthenaIntrospector implements DatabaseIntrospector {
  readonly #athena: Athena
  readonly #signal: AbortSignal | undefined

  constructor(athena: Athena, signal: AbortSignal | undefined) {
    this.#athena = athena
    this.#signal = signal
  }

  async getSchemas(): Promise<SchemaMetadata[]> {
    const schemas: SchemaMetadata[] = []
    for await (const name of this.#athena.databases(this.#options())) schemas.push({ name })
    return schemas
  }

  /** The tables of every database. */
  async getTables(): Promise<TableMetadata[]> {
    const tables: TableMetadata[] = []
    for (const { name: database } of await this.getSchemas()) {
      for await (const table of this.#athena.tables({ database, ...this.#options() })) {
        tables.push({
          schema: database,
          name: table.name,
          isView: table.type === 'VIRTUAL_VIEW',
          columns: [...table.columns, ...table.partitionKeys].map(({ name, type, comment }) => ({
            name,
            dataType: type,
            isAutoIncrementing: false,
            isNullable: true,
            hasDefaultValue: false,
            ...(comment !== undefined && { comment }),
          })),
        })
      }
    }
    return tables
  }

  async getMetadata(_options?: DatabaseMetadataOptions): Promise<DatabaseMetadata> {
    return { tables: await this.getTables() }
  }

  #options() {
    return this.#signal === undefined ? {} : { signal: this.#signal }
  }
}
