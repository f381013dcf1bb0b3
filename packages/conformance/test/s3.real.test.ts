import { describe, it } from 'vitest'
import { describeObjectStore, type ObjectStoreSubject } from '../src/index.ts'
import { startLane } from './lane.ts'

// Started before the cases are collected: a lane that cannot run here says so in the name of a skipped suite.
const versitygw = await startLane('versitygw', (line) => ({
  ...(line as { s3: ObjectStoreSubject }).s3,
  keysAreFilePaths: true,
}))

if ('skipped' in versitygw) {
  describe.skip('S3 by versitygw', () => {
    it(versitygw.skipped, () => undefined)
  })
} else {
  describeObjectStore('versitygw', async () => versitygw)
}
