import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isolatedTests } from './isolated-tests.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')
const packages = readdirSync(join(root, 'packages')).filter((name) =>
  existsSync(join(root, 'packages', name, 'package.json')),
)

const sourceFiles = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? sourceFiles(path) : path.endsWith('.ts') ? [path] : []
  })

/** What each package may import of ours; leaves never import each other. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  core: [],
  source: ['@stockpipe/core'],
  kafka: ['@stockpipe/core'],
  's3-sink': ['@stockpipe/core'],
  conformance: ['@stockpipe/core'],
  glue: ['@stockpipe/core'],
  athena: ['@stockpipe/core'],
  local: ['@stockpipe/core'],
  cli: [
    '@stockpipe/core',
    '@stockpipe/core/metrics',
    '@stockpipe/athena',
    '@stockpipe/athena/results',
    '@stockpipe/glue',
    '@stockpipe/kafka',
    '@stockpipe/local',
    '@stockpipe/s3-sink',
  ],
}

describe('the workspace', () => {
  it('has the packages whose arrows are written down', () => {
    expect(packages.toSorted()).toEqual(Object.keys(arrows).toSorted())
  })

  it.each(Object.entries(arrows))('%s imports only what it may', (name, allowed) => {
    const imported = new Set<string>()
    for (const file of sourceFiles(join(root, 'packages', name, 'src'))) {
      for (const [, specifier] of readFileSync(file, 'utf8').matchAll(
        /(?:from|import)\s*\(?\s*'(@stockpipe\/[^']+|stockpipe)'/g,
      )) {
        imported.add(specifier!)
      }
    }
    expect([...imported].filter((specifier) => !allowed.includes(specifier))).toEqual([])
  })

  it('keeps addresses out of the lock file', () => {
    const lock = read('pnpm-lock.yaml')
    expect(lock).not.toContain('://')
    expect(lock).not.toContain('tarball:')
  })

  it('gives every package the same shape', () => {
    for (const name of packages) {
      const manifest = JSON.parse(read('packages', name, 'package.json'))
      expect(manifest, name).toMatchObject({
        type: 'module',
        sideEffects: false,
        engines: { node: '>=20.19' },
        license: 'Apache-2.0',
      })
      if (!manifest.private) {
        expect(manifest.exports['.'], name).toEqual({
          '@stockpipe/src': './src/index.ts',
          types: './dist/index.d.ts',
          default: './dist/index.js',
        })
      }
      expect(existsSync(join(root, 'packages', name, 'README.md')), `${name} has a README`).toBe(true)
    }
  })

  it('gives processes of their own to tests that mock modules, run those of another file, or change the environment', () => {
    const patterns = [...isolatedTests.unit, ...isolatedTests.local].map(
      (glob) =>
        new RegExp(
          `^${glob.replaceAll('.', '\\.').replace(/\*\*\/|\*/g, (star) => (star === '*' ? '[^/]*' : '(.*/)?'))}$`,
        ),
    )
    const shared = execFileSync('git', ['ls-files', '--', '*.test.ts'], { cwd: root, encoding: 'utf8' })
      .trim()
      .split('\n')
      .filter((file) => !file.endsWith('.real.test.ts') && existsSync(join(root, file)))
      .filter((file) => !patterns.some((pattern) => pattern.test(file)))
    expect(shared.length).toBeGreaterThan(150)
    const wantsItsOwn = /vi\.(mock|doMock|stubEnv|stubGlobal)\(|import\('\.[^']*\.test\.ts'\)|import '\./
    expect(shared.filter((file) => wantsItsOwn.test(read(file)))).toEqual([])
  })

  it('commits no registry host and no path of one machine', () => {
    const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n')
    const forbidden = /registry\.npmjs|\/home\/[a-z]|\/work\//
    const offending = files.filter(
      (file) =>
        existsSync(join(root, file)) &&
        file !== 'test/workspace.test.ts' &&
        forbidden.test(readFileSync(join(root, file), 'latin1')),
    )
    expect(offending).toEqual([])
  })
})
