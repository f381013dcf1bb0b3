import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Catalog } from '../../src/glue/catalog.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'catalog-kill-'))
})
afterEach(() => rm(directory, { recursive: true }))

const source = fileURLToPath(new URL('../../src/', import.meta.url))

/** Turns the sources the catalog needs into JavaScript, for a process without vitest. */
async function transpileSources(): Promise<void> {
  const core = join(directory, 'node_modules/@stockpipe/core')
  await mkdir(core, { recursive: true })
  await writeFile(join(core, 'package.json'), '{"type":"module","exports":"./index.js"}')
  await transpile(join(source, '../../core/src/errors.ts'), join(core, 'index.js'))
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
  for (const name of ['durability', 'whole-lines']) {
    await transpile(join(source, `${name}.ts`), join(directory, `${name}.js`))
  }
  for (const folder of ['glue', 'http']) {
    await mkdir(join(directory, folder))
    for (const name of await readdir(join(source, folder))) {
      await transpile(join(source, folder, name), join(directory, folder, name.replace(/\.ts$/, '.js')))
    }
  }
}

async function transpile(from: string, to: string): Promise<void> {
  const { outputText } = ts.transpileModule(await readFile(from, 'utf8'), {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      rewriteRelativeImportExtensions: true,
    },
  })
  await writeFile(to, outputText)
}

/** Creates partitions with statistics, versions and tags for ever and prints each once it is acknowledged. */
const writer = `
import { Catalog } from './glue/catalog.js'
const catalog = new Catalog('state')
catalog.createDatabase({ Name: 'market' })
catalog.createTable('market', { Name: 'bars', PartitionKeys: [{ Name: 'day', Type: 'int' }] })
const write = (day) => {
  catalog.createPartitions('market', 'bars', [{ Values: [String(day)], Parameters: { pad: 'x'.repeat(20_000) } }])
  const put = [{ ColumnName: 'price', ColumnType: 'double', AnalyzedTime: day, StatisticsData: { Type: 'DOUBLE' } }]
  catalog.store.commit(['column-statistics', 'market', 'bars', { partition: [String(day)], put }])
  catalog.updateTable('market', { Name: 'bars', PartitionKeys: [{ Name: 'day', Type: 'int' }], Description: String(day) })
  catalog.store.commit(['tags', 'database/market', { day: String(day) }])
  process.stdout.write(day + '\\n')
  setImmediate(write, day + 1)
}
write(0)
`

it('a catalog killed with -9 while it writes has everything it acknowledged', async () => {
  await transpileSources()
  await writeFile(join(directory, 'writer.js'), writer)
  const child = spawn(process.execPath, ['writer.js'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  let acknowledged = -1
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line)
    // Far enough that the log has been compacted meanwhile (8 MiB).
    if (acknowledged === 600) child.kill('SIGKILL')
  }
  expect(await exited).toBe('SIGKILL')
  const catalog = new Catalog(join(directory, 'state'))
  const days = new Set(
    catalog.listPartitions('market', 'bars').map((partition) => Number(partition.Values[0])),
  )
  const { partitionStatistics } = catalog.store.requireTable('market', 'bars')
  const versions = catalog.listTableVersions('market', 'bars').map((version) => Number(version.Description))
  for (let day = 0; day <= acknowledged; day += 1) {
    expect(days.has(day)).toBe(true)
    expect(versions).toContain(day)
    expect(partitionStatistics.get(JSON.stringify([String(day)]))?.columns.get('price')?.AnalyzedTime).toBe(
      day,
    )
  }
  expect(Number(catalog.store.tags.get('database/market')?.['day'])).toBeGreaterThanOrEqual(acknowledged)
  expect(days.size - (acknowledged + 1)).toBeLessThanOrEqual(1)
  catalog.close()
})
