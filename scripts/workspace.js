import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout's root folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Ends with one sentence instead of a stack. */
export const stop = (sentence) => {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  stop(
    `stockpipe needs Node.js 20.19 or newer, and this is ${process.versions.node}: install a newer one and try again.`,
  )
}

/** True when files can be made in the checkout. */
export const isWritable = () => {
  try {
    accessSync(root, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Runs a program to its end and answers its exit code; Ctrl-C reaches it as it reaches us. */
export const run = (command, commandArguments, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, { cwd: root, stdio: 'inherit', ...options })
    const forward = (name) => child.kill(name)
    const ignore = () => {}
    process.on('SIGINT', ignore)
    process.on('SIGTERM', forward)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      process.off('SIGINT', ignore)
      process.off('SIGTERM', forward)
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1))
    })
  })

/** Runs the pnpm that package.json pins, through npx, so that npm alone is enough. */
export const pnpm = (pnpmArguments, options) =>
  run('npx', ['--yes', manifest.packageManager, ...pnpmArguments], {
    ...options,
    shell: process.platform === 'win32',
    env: { ...process.env, npm_config_update_notifier: 'false', CI: process.env.CI ?? 'true' },
  })

/** All files below a folder that decide what is built from it. */
const inputFiles = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !['node_modules', 'dist', 'test', 'data', '.stockpipe'].includes(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? inputFiles(path) : [path]
    })
    .sort()

const digest = (files) => {
  const hash = createHash('sha256')
  for (const file of files)
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

const readStamp = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '')

/** Folders of all workspace packages. */
export const packageFolders = [
  ...readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, 'packages', entry.name, 'package.json')))
    .map(({ name }) => join('packages', name)),
  'examples',
  'benchmarks',
]

/** Installs what `scope` needs, unless this checkout has it already: `example` (the main job) or `all`. */
export const install = async (scope) => {
  const wanted = digest([
    join(root, 'pnpm-lock.yaml'),
    join(root, 'pnpm-workspace.yaml'),
    join(root, 'package.json'),
    ...packageFolders.map((folder) => join(root, folder, 'package.json')),
  ])
  const stamp = (name) => join(root, 'node_modules', `.stockpipe-installed-${name}`)
  if (readStamp(stamp('all')) === wanted || readStamp(stamp(scope)) === wanted) return
  if (!isWritable()) {
    stop(
      'This checkout is read-only and its packages are not installed: copy it to a folder you can write to and start again there.',
    )
  }
  process.stderr.write('Installing packages (only the first time) ...\n')
  const filter = scope === 'example' ? ['--filter', '@stockpipe/examples...'] : []
  const code = await pnpm([
    ...filter,
    'install',
    '--frozen-lockfile',
    '--prefer-offline',
    '--reporter=append-only',
    '--loglevel=warn',
  ])
  if (code !== 0) stop('The packages could not be installed: see the message above, then start again.')
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  writeFileSync(stamp(scope), wanted)
}

/** Builds packages without declarations, two at a time, leaving out those whose inputs are unchanged. */
export const buildFast = async (folders) => {
  const shared = ['tsup.package.ts', 'tsconfig.base.json', 'pnpm-lock.yaml'].map((file) => join(root, file))
  const stale = folders
    .filter((folder) => existsSync(join(root, folder, 'tsup.config.ts')))
    .map((folder) => ({
      folder: join(root, folder),
      stamp: join(root, folder, 'dist', '.inputs'),
      wanted: digest([...shared, ...inputFiles(join(root, folder))]),
    }))
    .filter(({ stamp, wanted }) => readStamp(stamp) !== wanted)
  if (stale.length === 0) return
  if (!isWritable()) {
    stop(
      'This checkout is read-only and its packages are not built: copy it to a folder you can write to and start again there.',
    )
  }
  process.stderr.write(`Building ${stale.length} package${stale.length === 1 ? '' : 's'} ...\n`)
  const queue = [...stale]
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const tsup = join(next.folder, 'node_modules', 'tsup', 'dist', 'cli-default.js')
      const code = await run(process.execPath, [tsup, '--no-dts', '--silent'], { cwd: next.folder })
      if (code !== 0) stop(`${relative(root, next.folder)} could not be built: see the message above.`)
      writeFileSync(next.stamp, next.wanted)
    }
  }
  await Promise.all([worker(), worker()])
}
