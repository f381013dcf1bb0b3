import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import {
  BatchStopJobRunCommand,
  CreateJobCommand,
  GetJobRunCommand,
  GlueClient,
  type JobRun,
  StartJobRunCommand,
} from '@aws-sdk/client-glue'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it, vi } from 'vitest'
import { type LocalStack, type LocalStackOptions, startLocalStack } from '../../src/local-stack.ts'
import { s3ClientFor } from '../stack/s3-client.ts'

const hasPython = spawnSync('python3', ['--version']).status === 0
const hasBoto3 = hasPython && spawnSync('python3', ['-c', 'import boto3']).status === 0
const limit = { timeout: 60_000 }

const withStack = async (
  options: LocalStackOptions,
  use: (stack: LocalStack, glue: GlueClient) => Promise<void>,
): Promise<void> => {
  await using stack = await startLocalStack({ httpPort: 0, kafkaPort: 0, ...options })
  const { accessKeyId, secretAccessKey, region } = stack.aws
  // The address of all addresses is none to connect to.
  const endpoint = stack.aws.endpoint.replace('0.0.0.0', '127.0.0.1')
  const glue = new GlueClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  try {
    await use(stack, glue)
  } finally {
    glue.destroy()
  }
}

const job = (more: Record<string, unknown> = {}) =>
  new CreateJobCommand({
    Name: 'job',
    Role: 'job',
    Command: { Name: 'pythonshell', PythonVersion: '3.9', ScriptLocation: 's3://code/job.py' },
    ...more,
  })

const started = async (glue: GlueClient): Promise<string> =>
  (await glue.send(new StartJobRunCommand({ JobName: 'job', Arguments: { '--key': 'from-job' } }))).JobRunId!

const inState = (glue: GlueClient, RunId: string, ...states: string[]): Promise<JobRun> =>
  vi.waitFor(async () => {
    const { JobRun: run } = await glue.send(new GetJobRunCommand({ JobName: 'job', RunId }))
    expect(states).toContain(run?.JobRunState)
    return run!
  }, limit)

const ends = ['SUCCEEDED', 'FAILED', 'STOPPED', 'TIMEOUT', 'ERROR']

describe('Glue jobs by the AWS SDK', () => {
  it.skipIf(!hasBoto3)('run a Python script that reaches the stack by boto3', limit, () =>
    withStack({}, async (stack, glue) => {
      const s3 = s3ClientFor(stack)
      await s3.send(new CreateBucketCommand({ Bucket: 'code' }))
      const Body = `
import sys, boto3
from awsglue.utils import getResolvedOptions
options = getResolvedOptions(sys.argv, ["JOB_NAME", "key"])
names = [each["Name"] for each in boto3.client("glue").get_jobs()["Jobs"]]
boto3.client("s3").put_object(Bucket="code", Key=options["key"], Body=",".join(names).encode())
`
      await s3.send(new PutObjectCommand({ Bucket: 'code', Key: 'job.py', Body }))
      await glue.send(job())
      const run = await inState(glue, await started(glue), ...ends)
      expect(run.ErrorMessage).toBeUndefined()
      expect(run).toMatchObject({ JobRunState: 'SUCCEEDED', Attempt: 0 })
      expect(run.CompletedOn).toBeInstanceOf(Date)
      const written = await s3.send(new GetObjectCommand({ Bucket: 'code', Key: 'from-job' }))
      expect(await written.Body?.transformToString()).toBe('job')
      s3.destroy()
    }),
  )

  it.skipIf(!hasPython)('are stopped', limit, () =>
    withStack({}, async (stack, glue) => {
      const s3 = s3ClientFor(stack)
      await s3.send(new CreateBucketCommand({ Bucket: 'code' }))
      await s3.send(
        new PutObjectCommand({ Bucket: 'code', Key: 'job.py', Body: 'import time\ntime.sleep(600)' }),
      )
      s3.destroy()
      await glue.send(job())
      const id = await started(glue)
      await inState(glue, id, 'RUNNING')
      const { SuccessfulSubmissions } = await glue.send(
        new BatchStopJobRunCommand({ JobName: 'job', JobRunIds: [id] }),
      )
      expect(SuccessfulSubmissions).toHaveLength(1)
      expect(await inState(glue, id, ...ends)).toMatchObject({ JobRunState: 'STOPPED' })
    }),
  )

  it('run only with allowJobs where other machines reach the stack', limit, async () => {
    await withStack({ host: '0.0.0.0' }, async (_, glue) => {
      await glue.send(job())
      await expect(started(glue)).rejects.toMatchObject({
        name: 'AccessDeniedException',
        message: expect.stringContaining('--allow-jobs'),
      })
    })
    await withStack({ host: '0.0.0.0', allowJobs: true }, async (_, glue) => {
      await glue.send(job())
      const run = await inState(glue, await started(glue), ...ends)
      expect(run).toMatchObject({
        JobRunState: 'FAILED',
        ErrorMessage: expect.stringContaining('s3://code/job.py is not there'),
      })
    })
  })

  it('are started by no web page', limit, () =>
    withStack({}, async (stack) => {
      const headers = { origin: 'http://evil.example', 'x-amz-target': 'AWSGlue.StartJobRun' }
      const asked = request(stack.aws.endpoint, { method: 'POST', headers })
      asked.end('{"JobName":"job"}')
      const [answer] = await once(asked, 'response')
      expect(answer.statusCode).toBe(400)
      expect(JSON.parse(await text(answer))).toMatchObject({ __type: 'AccessDeniedException' })
    }),
  )
})
