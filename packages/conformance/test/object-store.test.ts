import { describe } from 'vitest'
import {
  type Interceptor,
  MemoryBucket,
  MemoryObjectStore,
  refusal,
  unknownOutcome,
} from '../../s3-sink/test/sink/memory-object-store.ts'
import { describeObjectStoreContract } from '../src/index.ts'

/** A store of which every call ends so. */
const always = (intercept: Interceptor): MemoryObjectStore =>
  Object.assign(new MemoryObjectStore(), { intercept })

// Both ways in which S3 may answer a completion that is repeated.
describe.each([
  ['a completed upload is gone', false],
  ['a completed upload may be completed again', true],
])('%s', (_, completesAgain) => {
  // The store in which the sink's tests and its model keep what they publish.
  describeObjectStoreContract('the memory of the model test', async () => {
    const store = new MemoryObjectStore(
      new MemoryBucket({ leastPartBytes: 5 * 1024 ** 2, completesAgain, now: Date.now }),
    )
    return {
      store,
      forbidden: always(() => {
        throw refusal(403)
      }),
      bucketless: always(() => {
        throw refusal(404)
      }),
      unreachable: always(() => {
        throw unknownOutcome()
      }),
      failNext: (operation, key, fault) => {
        store.intercept = (call, apply) => {
          if (call.operation !== operation || call.key.split(' ')[0] !== key) return apply()
          store.intercept = (_, go) => go()
          if (fault === 'conflict') throw refusal(409, true)
          if (fault === 'loseAnswer') apply()
          throw unknownOutcome()
        }
      },
      [Symbol.asyncDispose]: async () => undefined,
    }
  })
})
