import { startLocalStack } from '@stockpipe/local'
import { describeObjectStoreContract, type FaultyCall } from '../src/index.ts'
import { s3StoreSubject } from './s3-store-subject.ts'

const operations = {
  putIfAbsent: 'PutObject',
  createUpload: 'CreateMultipartUpload',
  uploadPart: 'UploadPart',
  completeUpload: 'CompleteMultipartUpload',
  abortUpload: 'AbortMultipartUpload',
  delete: 'DeleteObject',
} as const satisfies Record<FaultyCall, string>

const actions = {
  cut: 'cut',
  loseAnswer: 'loseAnswer',
  unavailable: { error: 'SlowDown' },
  conflict: { error: 'ConditionalRequestConflict' },
} as const

describeObjectStoreContract('the S3 client and the local stack', async () => {
  const stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const subject = await s3StoreSubject({ ...stack.aws, [Symbol.asyncDispose]: () => stack.close() })
  return {
    ...subject,
    failNext: (call, key, fault) => {
      stack.s3.faults.add({ operation: operations[call], key, action: actions[fault] })
    },
  }
})
