import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGlueService } from '../../src/glue/glue-service.ts'
import { FolderStorage } from './folder-storage.ts'

/** A Glue with the database `market`, the bucket `lake` and the crawler `crawl`. */
export async function startCrawlers() {
  const directory = await mkdtemp(join(tmpdir(), 'crawler-'))
  const storage = new FolderStorage(join(directory, 'objects'))
  await storage.createBucket('lake')
  const glue = await createGlueService({ dataDirectory: directory, storage })
  await glue.handle('CreateDatabase', { DatabaseInput: { Name: 'market' } })
  return {
    glue,
    storage,
    /** Puts text or bytes. */
    put: (key: string, body: string | Uint8Array) => storage.writeObject('lake', key, Buffer.from(body)),
    create: (more: Record<string, unknown> = {}) =>
      glue.handle('CreateCrawler', {
        Name: 'crawl',
        Role: 'arn:aws:iam::000000000000:role/crawler',
        DatabaseName: 'market',
        Targets: { S3Targets: [{ Path: 's3://lake/raw' }] },
        ...more,
      }),
    /** Runs the crawler to its end; answers its last crawl. */
    async run(): Promise<{ Status: string; ErrorMessage?: string } | undefined> {
      await glue.handle('StartCrawler', { Name: 'crawl' })
      for (;;) {
        const { Crawler } = await glue.handle('GetCrawler', { Name: 'crawl' })
        const { State, LastCrawl } = Crawler as { State: string; LastCrawl?: { Status: string } }
        if (State === 'READY') return LastCrawl
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    tables: () => glue.catalog.listTables('market').map((table) => table.Name),
    /** `name type` of a table's columns. */
    columns: (table: string) =>
      glue.catalog
        .requireTable('market', table)
        .StorageDescriptor?.Columns?.map((column) => `${column.Name} ${column.Type}`),
    partitions: (table: string) =>
      glue.catalog.listPartitions('market', table).map((one) => one.Values.join('/')),
    async [Symbol.asyncDispose]() {
      await glue.close()
      await rm(directory, { recursive: true })
    },
  }
}
