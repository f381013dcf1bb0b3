import { resolve as absolute } from 'node:path'
import { defineConfig } from 'vitest/config'

// Unit tests over sources in which one line is another (checks/mutations.js).
const mutation = JSON.parse(process.env.STOCKPIPE_MUTATION ?? 'null')
const root = absolute(import.meta.dirname, '../..')

export default defineConfig({
  root,
  resolve: { conditions: ['@stockpipe/src'] },
  ssr: { resolve: { conditions: ['@stockpipe/src', 'node', 'import', 'default'] } },
  define: { __PACKAGE_VERSION__: JSON.stringify('0.0.0-test') },
  plugins: [
    {
      name: 'mutation',
      enforce: 'pre',
      transform(code, id) {
        if (mutation === null || id !== absolute(root, mutation.file)) return undefined
        if (code.split(mutation.find).length !== 2) throw new Error(`${mutation.find} is not once in ${id}`)
        return { code: code.replace(mutation.find, () => mutation.replace), map: null }
      },
    },
  ],
  test: { include: ['packages/*/test/**/*.test.ts'], testTimeout: 20_000, hideSkippedTests: true },
})
