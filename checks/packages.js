import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageFolders, pnpm, root } from '../scripts/workspace.js'

// Every published package: built with declarations, packed, linted as a tarball, and imported from an empty folder
// by `import` and by `require`, its sub-paths too; those with an optional peer are found wanting without it. A program in
// TypeScript compiles against the packed declarations, of which none may be skipped.
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
  /** The entry as the consumer's program imports it. */
  const named = (entry) => `entry${entries.indexOf(entry)}`
  const count = (code, flags = []) => Number(inFolder(process.execPath, [...flags, '-e', code]).trim())
  const peers = manifests.flatMap(({ peerDependencies }) => Object.entries(peerDependencies ?? {}))
  for (const entry of ['@stockpipe/core/opentelemetry', '@stockpipe/athena/kysely']) {
    const wanting = inFolder(process.execPath, [
      '-e',
      `import(${JSON.stringify(entry)}).catch((error) => console.log(error.code))`,
    ]).trim()
    if (wanting !== 'ERR_MODULE_NOT_FOUND') throw new Error(`${entry} works without its optional peer`)
  }
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
  const consumer = `${entries.map((entry, index) => `import * as entry${index} from '${entry}'`).join('\n')}
import type { AthenaSender } from '@stockpipe/athena'
export const all = [${entries.map((_, index) => `entry${index}`).join(', ')}]
declare const client: AthenaSender
const { defineTable, t } = ${named('@stockpipe/core')}
const { sum, withBuilder } = ${named('@stockpipe/athena/kysely')}
const trades = defineTable('trades', { columns: { ticker: t.string(), size: t.int64() } })
const athena = withBuilder(${named('@stockpipe/athena')}.createAthena({ client, database: 'market' }))
export const volumes = athena
  .from(trades.at({ database: 'market', location: 's3://lake/trades/' }))
  .selectFrom('trades')
  .select((eb) => ['ticker', sum(eb, 'size').as('volume')])
  .groupBy('ticker')
  .execute()
  .then(([row]) => {
    const volume: bigint | null = row!.volume
    // @ts-expect-error A type that is lost, and so is any, would do.
    const text: string = row!.volume
    return [volume, text]
  })
`
  for (const file of ['consumer.mts', 'consumer.cts']) writeFileSync(join(folder, file), consumer)
  try {
    inFolder(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      ...['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', 'false'],
      ...[
        '--lib',
        'es2023,esnext.disposable,dom',
        '--types',
        'node',
        '--typeRoots',
        join(root, 'node_modules/@types'),
      ],
      ...['consumer.mts', 'consumer.cts'],
    ])
  } catch (error) {
    throw new Error(`a program does not compile against the packed declarations:\n${error.stdout}`)
  }
  console.log(`a program compiles against the declarations of ${entries.length} entries, as ESM and CommonJS`)
  // A sink of the packed files takes its rows in a worker thread; one in a bundle on its own, with a warning, until it is
  // given the entry of a worker that was bundled too.
  const workers = availableParallelism() > 1
  const program = (entry = '') => `
     import { subscribe } from 'node:diagnostics_channel'
     import { defineTable, defineTopic, RecordBlockBuilder, t } from '@stockpipe/core'
     import { createSink } from '@stockpipe/s3-sink'
     import { DiscardingStore } from './discarding-store.mjs'
     const told = { rows: 0, threads: 0, warnings: 0 }
     subscribe('worker_threads', () => (told.threads += 1))
     const run = async () => {
       const table = defineTable('ticks', { columns: { id: t.int64() } })
       const sink = createSink({
         name: 'ticks',
         topic: defineTopic('ticks', { table, partitions: 1 }),
         table: table.at({ database: 'market', location: 's3://lake/ticks/' }),
         store: new DiscardingStore(),
         logger: { info() {}, warn: () => (told.warnings += 1), error() {} },
         onCommit: ({ rows }) => (told.rows += rows),
         ${entry}
       })
       const log = { topic: 'ticks', partition: 0 }
       await sink.assign([{ ...log, logStart: 0n, logEnd: 1n }], { generation: 1 })
       const block = new RecordBlockBuilder({ ...log, firstOffset: 0n })
       block.add({ offset: 0n, timestampMillis: 0, key: null, value: Buffer.from('{"id":"7"}') })
       await sink.write(block.finish())
       await sink.close()
       console.log(JSON.stringify(told))
     }
     run()`
  copyFileSync(
    join(root, 'benchmarks/contestants/stockpipe/discarding-store.js'),
    join(folder, 'discarding-store.mjs'),
  )
  const expectTold = (how, file, threads, warnings) => {
    const told = inFolder(process.execPath, ['--no-warnings', file]).trim()
    const expected = JSON.stringify({ rows: 1, threads, warnings })
    if (told !== expected) throw new Error(`a sink ${how} tells ${told}, not ${expected}`)
    console.log(`a sink ${how}: ${told}`)
  }
  writeFileSync(join(folder, 'program.mjs'), program())
  expectTold('of the packed files', 'program.mjs', workers ? 1 : 0, 0)
  const requireOfTsup = createRequire(createRequire(join(root, 'package.json')).resolve('tsup'))
  const { build } = requireOfTsup('esbuild')
  const bundle = (entryPoint, outfile, format) =>
    build({
      absWorkingDir: folder,
      entryPoints: [entryPoint],
      outfile,
      format,
      bundle: true,
      platform: 'node',
      logLevel: 'error',
      // What comes as CommonJS asks for Node's own modules by require.
      ...(format === 'esm' && {
        banner: {
          js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url)",
        },
      }),
    })
  await bundle('program.mjs', 'bundles/program.cjs', 'cjs')
  expectTold('in a bundle of CommonJS', 'bundles/program.cjs', 0, workers ? 1 : 0)
  await bundle('program.mjs', 'bundles/program.mjs', 'esm')
  expectTold('in a bundle', 'bundles/program.mjs', 0, workers ? 1 : 0)
  writeFileSync(
    join(folder, 'with-entry.mjs'),
    program("workers: { count: 1, entry: new URL('./worker.mjs', import.meta.url) }"),
  )
  await bundle('with-entry.mjs', 'bundles/with-entry.mjs', 'esm')
  await bundle('@stockpipe/s3-sink/engine-worker', 'bundles/worker.mjs', 'esm')
  expectTold("in a bundle with a worker's entry", 'bundles/with-entry.mjs', 1, 0)
  const help = inFolder(join(folder, 'node_modules/.bin/stockpipe'), ['--help'])
  if (!help.includes('Usage: stockpipe')) throw new Error(`stockpipe --help says: ${help}`)
  console.log(
    `figure: ${published.length} packages packed, linted and imported both ways, ${entries.length} entries`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
