import { afterAll, beforeAll, describe } from 'vitest'
import { describeBuckets } from './buckets.ts'
import { describeChecksums } from './checksums.ts'
import { describeConditionalReads } from './conditional-reads.ts'
import { describeConditionalWrites } from './conditional-writes.ts'
import { describeCopy } from './copy.ts'
import { describeDeleteObjects } from './delete-objects.ts'
import { describeErrors } from './errors.ts'
import { describeKeys } from './keys.ts'
import { describeListing } from './listing.ts'
import { describeManagedUploads } from './managed-uploads.ts'
import { describeMultipart } from './multipart.ts'
import { ObjectStore, type ObjectStoreSubject } from './object-store.ts'
import { describeObjects } from './objects.ts'
import { describePresignedUrls } from './presigned-urls.ts'
import { describeRanges } from './ranges.ts'
import { describeSignatures } from './signatures.ts'
import { describeVirtualHosts } from './virtual-hosts.ts'

export type { ObjectStoreSubject } from './object-store.ts'

const concepts = [
  describeBuckets,
  describeObjects,
  describeKeys,
  describeRanges,
  describeConditionalReads,
  describeConditionalWrites,
  describeMultipart,
  describeManagedUploads,
  describeChecksums,
  describeListing,
  describeCopy,
  describeDeleteObjects,
  describeSignatures,
  describePresignedUrls,
  describeErrors,
  describeVirtualHosts,
]

/**
 * What every S3 must answer: the same cases, unchanged, for the embedded service and for a real server.
 * `start` is called once, before the first case; it must answer an empty service, disposed of after the last.
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
