import { createRecordReader as createReader, runConsumer as run } from '../src/index.ts'

/**
 * How consumers under test fetch. The tests of `x.test.ts` run with record batches; `x.messages.test.ts` runs the same
 * ones with messages.
 */
export const consuming: { recordBatches: 'raw' | 'messages' } = { recordBatches: 'raw' }

export const runConsumer: typeof run = (options) => run({ ...consuming, ...options })

export const createRecordReader: typeof createReader = (options) => createReader({ ...consuming, ...options })
