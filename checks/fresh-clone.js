import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../scripts/workspace.js'

// The README's two commands in a fresh clone with empty npm and pnpm caches, then in a checkout that cannot be written.
const folder = mkdtempSync(join(tmpdir(), 'stockpipe-fresh-clone-'))
const clone = join(folder, 'stockpipe')
const env = {
  ...process.env,
  npm_config_cache: join(folder, 'npm-cache'),
  npm_config_store_dir: join(folder, 'pnpm-store'),
  XDG_CACHE_HOME: join(folder, 'cache'),
  XDG_DATA_HOME: join(folder, 'data'),
}
const npm = (what, npmArguments, limitSeconds) => {
  const begun = performance.now()
  const { status, stdout, stderr } = spawnSync('npm', npmArguments, {
    cwd: clone,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const seconds = (performance.now() - begun) / 1000
  if (status !== 0) throw new Error(`${what} ended with ${status}\n${stdout}\n${stderr}`)
  if (seconds > limitSeconds) throw new Error(`${what} took ${seconds.toFixed(0)} s, not ${limitSeconds}`)
  console.log(`figure: ${what}: ${seconds.toFixed(1)} s (limit ${limitSeconds} s)`)
}

/** `npm start` with the checkout mounted read-only; it works, or says in one sentence what to do. */
const readOnly = (what, source) => {
  const mounted = join(folder, 'read-only')
  mkdirSync(mounted, { recursive: true })
  const script = 'mount --bind "$1" "$2" && mount -o remount,bind,ro "$2" && cd "$2" && npm start --silent'
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', script, 'sh', source, mounted],
    { env, encoding: 'utf8', maxBuffer: 1 << 28 },
  )
  if (/mount: |unshare: /.test(stderr)) {
    console.log(`skipped: ${what}: this machine does not let us mount a folder read-only`)
    return
  }
  const sentence = stderr.trim()
  const saysWhatToDo =
    status !== 0 && sentence.split('\n').length === 1 && /copy it to a folder you can write to/.test(sentence)
  if (status !== 0 && !saysWhatToDo) throw new Error(`${what} ended with ${status}\n${stdout}\n${stderr}`)
  console.log(`figure: ${what}: ${status === 0 ? 'worked' : sentence}`)
}

try {
  execFileSync('git', ['clone', '--quiet', root, clone])
  readOnly('npm start in a read-only checkout, not installed', clone)
  npm('npm start with empty caches', ['start'], 180)
  npm('npm start again', ['start'], 20)
  readOnly('npm start in a read-only checkout, installed', clone)
  npm('npm test', ['test'], 300)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
