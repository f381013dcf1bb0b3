import { describe } from 'vitest'

/** An S3 service under test. */
export interface ObjectStoreSubject {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** What every S3 must answer: the same cases for the embedded service and for a real server. */
export const describeObjectStore = (
  name: string,
  start: () => Promise<ObjectStoreSubject & AsyncDisposable>,
): void => {
  describe(`S3 by ${name}`, () => {
    void start
  })
}
