import { afterAll, beforeAll, describe } from 'vitest'
import { describeBuckets } from './buckets.ts'
import { describeConditionalReads } from './conditional-reads.ts'
import { describeConditionalWrites } from './conditional-writes.ts'
import { ObjectStore, type ObjectStoreSubject } from './object-store.ts'
import { describeObjects } from './objects.ts'
import { describeRanges } from './ranges.ts'

export type { ObjectStoreSubject } from './object-store.ts'

const concepts = [
  describeBuckets,
  describeObjects,
  describeConditionalWrites,
  describeConditionalReads,
  describeRanges,
]

/**
 * What every S3 must answer: the same cases, unchanged, for the embedded service and for a real server.
 * `start` is called once; it must answer an empty service, which is disposed of at the end.
 */
export const describeObjectStore = (
  name: string,
  start: () => Promise<ObjectStoreSubject & AsyncDisposable>,
): void => {
  describe(`S3 by ${name}`, () => {
    const store = new ObjectStore(start)
    beforeAll(() => store.open())
    afterAll(() => store.close())
    for (const describeConcept of concepts) describeConcept(store)
  })
}
