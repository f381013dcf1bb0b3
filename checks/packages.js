import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageFolders, pnpm, root } from '../scripts/workspace.js'

// Every published package: built with declarations, packed, linted as a tarball, and imported from an empty folder
// by `import` and by `require`.
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
  const names = published.map((name) => manifestOf(name).name)
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  inFolder(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...files.map((file) => `./tarballs/${file}`)],
    { stdio: 'inherit' },
  )
  for (const name of names) {
    const count = (code, flags) => Number(inFolder(process.execPath, [...flags, '-e', code]).trim())
    const imported = count(
      `import(${JSON.stringify(name)}).then((m) => console.log(Object.keys(m).length))`,
      [],
    )
    const required = count(`console.log(Object.keys(require(${JSON.stringify(name)})).length)`, [
      '--no-warnings',
    ])
    if (imported === 0 || required !== imported)
      throw new Error(`${name} exports ${imported} names to import and ${required} to require`)
    console.log(`${name}: ${imported} exports by import and by require`)
  }
  const help = inFolder(join(folder, 'node_modules/.bin/stockpipe'), ['--help'])
  if (!help.includes('Usage: stockpipe')) throw new Error(`stockpipe --help says: ${help}`)
  console.log(`figure: ${names.length} packages packed, linted and imported both ways`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
