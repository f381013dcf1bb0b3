import { vi } from 'vitest'
import { WorkerEngine } from '../../src/worker-engine.ts'
import { InProcessThread } from './in-process-thread.ts'

// Imported before the tests of another file, it lets their sinks have their engine behind messages, as in a worker.
vi.mock('../../src/engine-choice.ts', () => ({
  engineOf: ((options, engine, events) =>
    new WorkerEngine({
      ...events,
      workers: 1,
      start: () => new InProcessThread(engine, options.createEngine),
      maxEncoderBytes: Number.POSITIVE_INFINITY,
      leastGroups: 1,
    })) satisfies typeof import('../../src/engine-choice.ts').engineOf,
}))
