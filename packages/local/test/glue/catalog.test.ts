import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Catalog } from '../../src/glue/catalog.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'catalog-'))
})
afterEach(() => rm(directory, { recursive: true }))

const columns = [{ Name: 'price', Type: 'double' }]
const bars = {
  Name: 'Bars',
  PartitionKeys: [{ Name: 'year', Type: 'int' }],
  StorageDescriptor: { Columns: columns, Location: 's3://lake/bars/' },
}

function filled(): Catalog {
  const catalog = new Catalog(directory)
  catalog.createDatabase({ Name: 'Market' })
  catalog.createTable('market', bars)
  return catalog
}

describe('catalog', () => {
  it('is the same after it is opened again without being closed', () => {
    const first = filled()
    first.createPartitions('market', 'bars', [{ Values: ['2023'] }, { Values: ['2024'] }])
    first.updatePartition('market', 'bars', ['2023'], { Values: ['2022'], Parameters: { a: 'b' } })
    first.updateTable('market', { ...bars, Description: 'daily' })
    const second = new Catalog(directory)
    expect(second.listDatabases()).toEqual(first.listDatabases())
    expect(second.listTableVersions('market', 'bars')).toEqual(first.listTableVersions('market', 'bars'))
    expect(second.listPartitions('market', 'bars')).toEqual(first.listPartitions('market', 'bars'))
    expect(second.listPartitions('market', 'bars').map((one) => one.Values)).toEqual([['2022'], ['2024']])
  })

  it('drops a last entry cut short by a kill and goes on', async () => {
    filled().close()
    const path = join(directory, 'catalog.log')
    const before = await readFile(path)
    await appendFile(path, '["drop-table","mar')
    const catalog = new Catalog(directory)
    expect(catalog.getTable('market', 'bars')?.Name).toBe('bars')
    expect(await readFile(path)).toEqual(before)
    catalog.createTable('market', { Name: 'trades' })
    expect(new Catalog(directory).listTables('market').map((table) => table.Name)).toEqual(['bars', 'trades'])
  })

  it('refuses to open when an entry within is damaged', async () => {
    filled().close()
    const path = join(directory, 'catalog.log')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('["table"', '["tab'))
    expect(() => new Catalog(directory)).toThrowError(/catalog\.log is damaged at line 2/)
  })

  it('writes little for each of 10,000 partitions and lists them in a stable order', async () => {
    const catalog = filled()
    const definition = (at: number) => ({
      Values: [String(at)],
      StorageDescriptor: { Columns: columns, Location: `s3://lake/bars/year=${at}/` },
    })
    for (let start = 0; start < 10_000; start += 100) {
      catalog.createPartitions(
        'market',
        'bars',
        Array.from({ length: 100 }, (_, at) => definition(start + at)),
      )
    }
    const bytes = (await stat(join(directory, 'catalog.log'))).size
    catalog.createPartitions('market', 'bars', [definition(10_000)])
    expect((await stat(join(directory, 'catalog.log'))).size - bytes).toBeLessThan(400)
    const reopened = new Catalog(directory)
    expect(reopened.listPartitions('market', 'bars')).toHaveLength(10_001)
    expect(reopened.listPartitions('market', 'bars', ([year]) => year === '77')).toHaveLength(1)
  })

  it('compacts a log that has grown by rewriting, keeping everything', async () => {
    const catalog = filled()
    const Parameters = { note: 'x'.repeat(200_000) }
    for (let at = 0; at < 100; at += 1) {
      catalog.updateTable('market', { ...bars, Parameters }, { skipArchive: true })
    }
    catalog.createPartitions('market', 'bars', [{ Values: ['1'] }])
    expect((await stat(join(directory, 'catalog.log'))).size).toBeLessThan(9_000_000)
    const reopened = new Catalog(directory)
    expect(reopened.getTable('market', 'bars')?.VersionId).toBe('100')
    expect(reopened.listPartitions('market', 'bars')).toHaveLength(1)
  })

  it('keeps replaced versions unless told otherwise, and refuses a version gone by', () => {
    const catalog = filled()
    catalog.updateTable('market', { ...bars, Description: 'one' }, { versionId: '0' })
    catalog.updateTable('market', { ...bars, Description: 'two' }, { skipArchive: true })
    expect(catalog.listTableVersions('market', 'bars').map((one) => one.VersionId)).toEqual(['2', '0'])
    expect(() => catalog.updateTable('market', bars, { versionId: '1' })).toThrowError(
      expect.objectContaining({ name: 'ConcurrentModificationException' }),
    )
  })
})
