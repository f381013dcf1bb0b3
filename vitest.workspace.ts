import { defineConfig } from 'vitest/config'
import { isolatedTests } from './test/isolated-tests.ts'

// Tests run on sources: every package is found by its `@stockpipe/src` condition, so nothing has to be built first.
const resolve = { conditions: ['@stockpipe/src'] }
const ssr = { resolve: { conditions: ['@stockpipe/src', 'node', 'import', 'default'] } }
/** A new object a project: vitest takes out of it what it defines. */
const define = () => ({ __PACKAGE_VERSION__: JSON.stringify('0.0.0-test') })

const unit = ['packages/*/test/**/*.test.ts', 'examples/test/**/*.test.ts', 'test/**/*.test.ts']
const notUnit = ['**/*.local.test.ts', '**/*.real.test.ts', '**/node_modules/**']

/** One project a lane; the suffix of a test file tells what it needs (see ARCHITECTURE.md). */
export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        define: define(),
        test: {
          name: 'unit',
          include: unit,
          exclude: [...notUnit, ...isolatedTests],
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        resolve,
        ssr,
        define: define(),
        test: { name: 'unit-isolated', include: isolatedTests, exclude: notUnit, testTimeout: 20_000 },
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
          name: 'local',
          globalSetup: './test/build-worker.js',
          include: ['packages/*/test/**/*.local.test.ts', 'examples/test/**/*.local.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 30_000,
        },
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
