import { GlueClient } from '@aws-sdk/client-glue'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { defineJob, ensureJob, runJob, uploadJobScript } from '@stockpipe/glue'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { createS3ObjectStore } from '@stockpipe/s3-sink'
import { afterAll, beforeAll, expect, test } from 'vitest'

let stack: LocalStack
let client: GlueClient
let s3: S3Client

beforeAll(async () => {
  stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const settings = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
  client = new GlueClient(settings)
  s3 = new S3Client({ ...settings, forcePathStyle: true })
  await s3.send(new CreateBucketCommand({ Bucket: 'scripts' }))
})
afterAll(async () => {
  client?.destroy()
  s3?.destroy()
  await stack?.close()
})

const poll = { initialMillis: 20, maximumMillis: 200 }
const jobOf = async (name: string, source: string, more: { readonly maxRetries?: number } = {}) => {
  const store = createS3ObjectStore({ client: s3, bucket: 'scripts' })
  const script = await uploadJobScript({ store, bucket: 'scripts', name: `${name}.py`, source })
  const job = defineJob({
    type: 'pythonshell',
    name,
    role: 'arn:aws:iam::000000000000:role/etl',
    script,
    pythonVersion: '3.9',
    requiredArguments: ['day'],
    ...more,
  })
  return { job, ensured: await ensureJob({ client, job }) }
}

test('a Python job is made, run with its arguments, changed with its script, and run again', async () => {
  const check = 'import sys\nassert sys.argv[sys.argv.index("--day") + 1] == "2024-01-02"\n'
  const { job, ensured } = await jobOf('bars', check)
  expect(ensured.outcome).toBe('created')
  expect((await ensureJob({ client, job })).outcome).toBe('unchanged')
  const run = await runJob({ client, job, arguments: { day: '2024-01-02' }, poll })
  expect(run).toMatchObject({ attempt: 0, logGroup: '/aws-glue/python-jobs' })
  const { ensured: changed } = await jobOf('bars', `${check}print("more")\n`)
  expect(changed).toEqual({ outcome: 'updated', changed: ['Command'] })
  await runJob({ client, job, arguments: { day: '2024-01-02' }, poll })
})

test('a job that fails is run again by Glue as often as it says, and then its reason is told', async () => {
  const { job } = await jobOf('fails', 'raise ValueError("no trades of that day")\n', { maxRetries: 1 })
  await expect(runJob({ client, job, arguments: { day: 'x' }, poll })).rejects.toMatchObject({
    code: 'JOB_FAILED',
    state: 'FAILED',
    runId: expect.stringMatching(/_attempt_1$/),
    message: expect.stringMatching(/no trades of that day/),
  })
})

test('an aborted job is stopped on Glue, and another run waits for its end', async () => {
  const { job } = await jobOf('slow', 'import sys, time\ntime.sleep(0 if "quick" in sys.argv else 600)\n')
  const abort = new AbortController()
  const first = runJob({
    client,
    job,
    arguments: { day: 'slow' },
    poll,
    signal: abort.signal,
    onProgress: ({ phase }) => phase === 'running' && second.start(),
  })
  let begun: Promise<unknown> | undefined
  const second = {
    start: () => {
      begun ??= runJob({
        client,
        job,
        arguments: { day: 'quick' },
        poll,
        onProgress: ({ phase }) => phase === 'waiting for other runs' && abort.abort(new Error('enough')),
      })
    },
  }
  await expect(first).rejects.toThrow('enough')
  expect(await begun).toMatchObject({ attempt: 0 })
})
