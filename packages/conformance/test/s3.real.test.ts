import { describe, it } from 'vitest'
import { describeObjectStore } from '../src/index.ts'
import { startVersitygw } from './versitygw-lane.ts'

// Started before the cases are collected: a lane that cannot run here says so in the name of a skipped suite.
const versitygw = await startVersitygw()

if ('skipped' in versitygw) {
  describe.skip('S3 by versitygw', () => {
    it(versitygw.skipped, () => undefined)
  })
} else {
  describeObjectStore('versitygw', async () => versitygw)
}
