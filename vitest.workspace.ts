import { defineConfig } from 'vitest/config'
import { isolatedTests } from './test/isolated-tests.ts'

// Tests run on sources: every package is found by its `@stockpipe/src` condition, so nothing has to be built first.
const resolve = { conditions: ['@stockpipe/src'] }
const ssr = { resolve: { conditions: ['@stockpipe/src', 'node', 'import', 'default'] } }
/** A new object a project: vitest takes out of it what it defines. */
const define = () => ({ __PACKAGE_VERSION__: JSON.stringify('0.0.0-test') })

const folders = ['packages/*/test', 'examples/test', 'test']
const unit = {
  exclude: ['**/*.local.test.ts', '**/*.real.test.ts', '**/node_modules/**'],
  testTimeout: 60_000,
}
const local = {
  globalSetup: './test/build-worker.js',
  exclude: ['**/node_modules/**'],
  testTimeout: 60_000,
  hookTimeout: 30_000,
}

/** One project a lane, and one for those of its tests that share no process; the suffix of a test file tells what it needs. */
export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        define: define(),
        test: {
          ...unit,
          name: 'unit',
          include: folders.map((folder) => `${folder}/**/*.test.ts`),
          exclude: [...unit.exclude, ...isolatedTests.unit],
          isolate: false,
        },
      },
      {
        resolve,
        ssr,
        define: define(),
        test: { ...unit, name: 'unit-isolated', include: [...isolatedTests.unit] },
      },
      {
        resolve,
        ssr,
        define: define(),
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/*/test/**/*.test-d.ts'],
            tsconfig: './tsconfig.type-tests.json',
          },
        },
      },
      {
        resolve,
        ssr,
        define: define(),
        test: {
          ...local,
          name: 'local',
          include: folders.map((folder) => `${folder}/**/*.local.test.ts`),
          exclude: [...local.exclude, ...isolatedTests.local],
          isolate: false,
        },
      },
      {
        resolve,
        ssr,
        define: define(),
        test: { ...local, name: 'local-isolated', include: [...isolatedTests.local] },
      },
      {
        resolve,
        ssr,
        define: define(),
        test: {
          name: 'real',
          include: ['packages/*/test/**/*.real.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
