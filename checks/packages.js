import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageFolders, pnpm, root } from '../scripts/workspace.js'

// Every published package: built with declarations, packed, linted as a tarball, and imported from an empty folder
// by `import` and by `require`, its sub-paths too; those with an optional peer are found wanting without it.
const manifestOf = (name) => JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8'))
const published = packageFolders.filter((name) => !manifestOf(name).private)
const folder = mkdtempSync(join(tmpdir(), 'stockpipe-packages-'))
const tarballs = join(folder, 'tarballs')
const inFolder = (command, commandArguments, options = {}) =>
  execFileSync(command, commandArguments, { cwd: folder, encoding: 'utf8', ...options })

try {
  if ((await pnpm(['--filter', './packages/*', '--workspace-concurrency=2', 'run', 'build'])) !== 0) {
    throw new Error('a package does not build')
  }
  for (const name of published) {
    const code = await pnpm(['pack', '--pack-destination', tarballs], {
      cwd: join(root, name),
      stdio: 'ignore',
    })
    if (code !== 0) throw new Error(`${name} cannot be packed`)
  }
  const files = readdirSync(tarballs)
  for (const file of files) {
    console.log(
      inFolder(process.execPath, [
        join(root, 'node_modules/publint/src/cli.js'),
        join(tarballs, file),
        '--strict',
      ]),
    )
  }
  const manifests = published.map(manifestOf)
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const npmInstall = (wanted) =>
    inFolder('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...wanted], {
      stdio: 'inherit',
    })
  npmInstall(files.map((file) => `./tarballs/${file}`))
  const entries = manifests.flatMap(({ name, exports }) =>
    Object.keys(exports)
      .filter((path) => path !== './package.json')
      .map((path) => name + path.slice(1)),
  )
  const count = (code, flags = []) => Number(inFolder(process.execPath, [...flags, '-e', code]).trim())
  const peers = Object.entries(manifestOf('packages/core').peerDependencies)
  const wanting = inFolder(process.execPath, [
    '-e',
    `import('@stockpipe/core/opentelemetry').catch((error) => console.log(error.code))`,
  ]).trim()
  if (wanting !== 'ERR_MODULE_NOT_FOUND') throw new Error('the bridge works without its optional peer')
  npmInstall(peers.map(([name, range]) => `${name}@${range}`))
  for (const entry of entries) {
    const imported = count(`import(${JSON.stringify(entry)}).then((m) => console.log(Object.keys(m).length))`)
    const required = count(`console.log(Object.keys(require(${JSON.stringify(entry)})).length)`, [
      '--no-warnings',
    ])
    // What a thread is started from exports nothing.
    const names = entry.endsWith('/engine-worker') ? imported === 0 : imported > 0
    if (!names || required !== imported)
      throw new Error(`${entry} exports ${imported} names to import and ${required} to require`)
    console.log(`${entry}: ${imported} exports by import and by require`)
  }
  const withWorkers = inFolder(process.execPath, [
    '--input-type=module',
    '-e',
    `import { defineTable, defineTopic, t } from '@stockpipe/core'
     import { createSink } from '@stockpipe/s3-sink'
     const table = defineTable('ticks', { columns: { id: t.int64() } })
     const topic = defineTopic('ticks', { table, partitions: 1 })
     const lake = table.at({ database: 'market', location: 's3://lake/ticks/' })
     await createSink({ name: 'ticks', topic, table: lake, store: {}, workers: 1 }).close()
     console.log('started')`,
  ]).trim()
  if (withWorkers !== 'started') throw new Error(`a sink with workers says: ${withWorkers}`)
  const help = inFolder(join(folder, 'node_modules/.bin/stockpipe'), ['--help'])
  if (!help.includes('Usage: stockpipe')) throw new Error(`stockpipe --help says: ${help}`)
  console.log(
    `figure: ${published.length} packages packed, linted and imported both ways, ${entries.length} entries`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
