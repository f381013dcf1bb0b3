import { vi } from 'vitest'

// Imported before the tests of another file, it gives their sinks a real worker thread, which unpacks record batches too.
vi.mock('../../../kafka/src/unpacking-module.ts', () => ({
  unpackingModule: () => new URL('../../../kafka/dist/record-batch-unpacking.js', import.meta.url).href,
}))
vi.mock('../../src/engine-choice.ts', async (original) => {
  const { engineOf } = await original<typeof import('../../src/engine-choice.ts')>()
  const entry = new URL('./built-worker.mjs', import.meta.url)
  return {
    engineOf: ((options, ...others) =>
      engineOf({ workers: { count: 1, entry }, ...options }, ...others)) satisfies typeof engineOf,
  }
})
