import { afterAll, beforeAll, describe } from 'vitest'
import { describeConditionalPuts } from './conditional-puts.ts'
import { describeObjects } from './objects.ts'
import { describeOutcomes } from './outcomes.ts'
import { type ObjectStoreContractSubject, SubjectHolder } from './subject.ts'
import { describeUploads } from './uploads.ts'

export type { Fault, FaultyCall, ObjectStoreContractSubject } from './subject.ts'

/**
 * What the journal relies on in every `ObjectStore` of core: the same cases for stores in memory and over S3.
 * `start` is called once, before the first case; what it answers is disposed of after the last.
 */
export const describeObjectStoreContract = (
  name: string,
  start: () => Promise<ObjectStoreContractSubject & AsyncDisposable>,
): void => {
  describe(`ObjectStore by ${name}`, () => {
    const holder = new SubjectHolder(start)
    beforeAll(() => holder.open())
    afterAll(() => holder.close())
    describeConditionalPuts(holder)
    describeObjects(holder)
    describeUploads(holder)
    describeOutcomes(holder)
  })
}
