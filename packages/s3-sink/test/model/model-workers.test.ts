import { vi } from 'vitest'
import { WorkerEngine } from '../../src/worker-engine.ts'
import { describeModel, never } from './describe-model.ts'
import { ModelThread } from './model-thread.ts'
import type { ProcessClock } from './world-time.ts'

vi.mock('../../src/engine-choice.ts', () => ({
  engineOf: ((options, engine, onLost) =>
    new WorkerEngine({
      workers: 2,
      start: () => new ModelThread(options.runtime as ProcessClock, engine, options.createEngine),
      onLost,
    })) satisfies typeof import('../../src/engine-choice.ts').engineOf,
}))

const workers = { time: 40 }

describeModel({
  'rows, in workers': { rotation: { ...never, rows: 7 }, weights: workers },
  'revocation, in workers': { rotation: never, weights: { ...workers, revoke: 3 } },
  'event time, in workers': { rotation: { ...never, eventTime: 'hour' }, weights: workers },
  'memory, in workers': { rotation: never, options: { memory: 4_000 }, weights: workers },
})
