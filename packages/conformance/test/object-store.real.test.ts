import { describe, it } from 'vitest'
import { describeObjectStoreContract, type ObjectStoreSubject } from '../src/index.ts'
import { startLane } from './lane.ts'
import { s3StoreSubject } from './s3-store-subject.ts'

// Started before the cases are collected: a lane that cannot run here says so in the name of a skipped suite.
const versitygw = await startLane('versitygw', (line) => ({
  ...(line as { s3: ObjectStoreSubject }).s3,
  keysAreFilePaths: true,
}))

if ('skipped' in versitygw) {
  describe.skip('ObjectStore by the S3 client and versitygw', () => {
    it(versitygw.skipped, () => undefined)
  })
} else {
  describeObjectStoreContract('the S3 client and versitygw', async () => ({
    ...(await s3StoreSubject(versitygw)),
    refusesUploadMarkers: true,
  }))
}
