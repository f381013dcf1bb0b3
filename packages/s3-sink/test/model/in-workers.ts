import { vi } from 'vitest'
import { WorkerEngine } from '../../src/worker-engine.ts'
import { modelMode } from './describe-model.ts'
import { ModelThread } from './model-thread.ts'
import type { ProcessClock } from './world-time.ts'

// Imported before the triggers of another file, it lets the sinks of their schedules have their engines in worker threads,
// which crash and are replaced now and then.
vi.mock('../../src/engine-choice.ts', () => ({
  engineOf: ((options, engine, events) =>
    new WorkerEngine({
      ...events,
      workers: 2,
      start: () => new ModelThread(options.runtime as ProcessClock, engine, options.createEngine),
      maxEncoderBytes: 1,
      leastGroups: 1,
    })) satisfies typeof import('../../src/engine-choice.ts').engineOf,
}))

modelMode.inWorkers = true
