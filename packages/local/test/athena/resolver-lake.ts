import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { CatalogTableResolver } from '../../src/athena/catalog-table-resolver.ts'
import { Catalog } from '../../src/glue/catalog.ts'
import { parquetFormat } from '../../src/glue/catalog-model.ts'
import { FolderStorage } from '../glue/folder-storage.ts'

export type Keep = (values: readonly (string | null)[]) => boolean

export const descriptor = (location: string, type = 'double') => ({
  ...parquetFormat,
  Location: location,
  Columns: [{ Name: 'Price', Type: type }],
})

/** A catalog with the database `market` and the bucket `lake`, new for each test, where it is half past noon on 31 March 2024. */
export class ResolverLake {
  readonly nowMillis = Date.UTC(2024, 2, 31, 12, 30)
  storage!: FolderStorage
  catalog!: Catalog
  /** Ends what a resolver lists. */
  signal: AbortSignal | undefined
  #directory = ''

  constructor() {
    beforeEach(async () => {
      this.#directory = await mkdtemp(join(tmpdir(), 'resolver-'))
      this.signal = undefined
      this.storage = new FolderStorage(this.#directory)
      await this.storage.createBucket('lake')
      this.catalog = new Catalog(join(this.#directory, 'state'))
      this.catalog.createDatabase({ Name: 'market' })
    })
    afterEach(() => rm(this.#directory, { recursive: true }))
  }

  put(key: string): Promise<void> {
    return this.storage.writeObject('lake', key, Buffer.from('x'))
  }

  /** Makes the table `bars` with partition keys, each a name and a type. */
  createTable(keys: readonly (readonly [string, string])[], Parameters: Record<string, string> = {}): void {
    this.catalog.createTable('market', {
      Name: 'bars',
      StorageDescriptor: descriptor('s3://lake/bars'),
      PartitionKeys: keys.map(([Name, Type]) => ({ Name, Type })),
      Parameters,
    })
  }

  /** The table `bars`. */
  resolve() {
    const options = { nowMillis: () => this.nowMillis, signal: this.signal }
    return new CatalogTableResolver(this.catalog, this.storage, options).resolveTable('market', 'bars')
  }

  /** The files of `bars`, each as its URI and its partition values. */
  async files(keep: Keep = () => true) {
    const table = await this.resolve()
    if (table === undefined || 'viewSql' in table) return undefined
    return (await table.listFiles(keep)).map((file) => [file.uri, ...file.partitionValues])
  }
}
