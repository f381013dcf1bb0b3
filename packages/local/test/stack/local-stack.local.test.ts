import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateDatabaseCommand, GetDatabasesCommand, GlueClient } from '@aws-sdk/client-glue'
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lockDataDirectory } from '../../src/data-directory-lock.ts'
import { type LocalStack, startLocalStack } from '../../src/local-stack.ts'
import { s3ClientFor } from './s3-client.ts'

let directory: string
const anyPorts = { httpPort: 0, kafkaPort: 0 }

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'stockpipe-stack-test-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const glueClientFor = (stack: LocalStack) =>
  new GlueClient({
    endpoint: stack.aws.endpoint,
    region: stack.aws.region,
    credentials: { accessKeyId: stack.aws.accessKeyId, secretAccessKey: stack.aws.secretAccessKey },
  })

const kafkaFor = (stack: LocalStack) =>
  new Kafka({ clientId: 'test', brokers: stack.kafka.brokers, logLevel: logLevel.NOTHING })

/** Starts something that only takes the port, or only the process's time, and ends it after the use. */
const withChild = async <T>(code: string, use: (pid: number) => Promise<T>): Promise<T> => {
  const child = spawn(process.execPath, ['-e', code], { stdio: 'ignore' })
  try {
    return await use(child.pid!)
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }
}

const startTicksOf = async (pid: number) =>
  (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')[19]!

/** What a process that held the directory leaves when it is killed. */
const leaveLock = async (dataDir: string, claim: string) => {
  await writeFile(path.join(dataDir, 'stockpipe-00000000000000aa.claim'), claim)
  await writeFile(path.join(dataDir, 'stockpipe-00000000000000aa.lock'), '')
}

describe('a local stack', () => {
  it('keeps what was written, in every service, over a restart', async () => {
    const dataDir = path.join(directory, 'kept')
    const first = await startLocalStack({ dataDir, ...anyPorts })
    const s3 = s3ClientFor(first)
    const Bucket = 'kept'
    await s3.send(new CreateBucketCommand({ Bucket }))
    for (const Key of ['a', 'a/b', 'A', 'x//y/', 'plain/key.txt']) {
      await s3.send(
        new PutObjectCommand({
          Bucket,
          Key,
          Body: `of ${Key}`,
          ContentType: 'text/x',
          Metadata: { key: encodeURIComponent(Key) },
        }),
      )
    }
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'staged' }))
    const { ETag } = await s3.send(
      new UploadPartCommand({ Bucket, Key: 'staged', UploadId, PartNumber: 1, Body: 'part' }),
    )
    const before = await s3.send(new ListObjectsV2Command({ Bucket }))
    await glueClientFor(first).send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'market' } }))
    const admin = kafkaFor(first).admin()
    await admin.createTopics({ topics: [{ topic: 'trades', numPartitions: 4 }] })
    await admin.disconnect()
    await first.close()

    const second = await startLocalStack({ dataDir, ...anyPorts })
    try {
      const again = s3ClientFor(second)
      const after = await again.send(new ListObjectsV2Command({ Bucket }))
      expect(after.Contents).toEqual(before.Contents)
      expect(after.Contents?.map(({ Key }) => Key)).toEqual(['A', 'a', 'a/b', 'plain/key.txt', 'x//y/'])
      for (const { Key } of after.Contents!) {
        const got = await again.send(new GetObjectCommand({ Bucket, Key }))
        expect(got).toMatchObject({ ContentType: 'text/x', Metadata: { key: encodeURIComponent(Key!) } })
        expect(await got.Body!.transformToString()).toBe(`of ${Key}`)
      }
      await again.send(
        new CompleteMultipartUploadCommand({
          Bucket,
          Key: 'staged',
          UploadId,
          MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
        }),
      )
      const { DatabaseList } = await glueClientFor(second).send(new GetDatabasesCommand({}))
      expect(DatabaseList?.map(({ Name }) => Name)).toContain('market')
      const adminAgain = kafkaFor(second).admin()
      const { topics } = await adminAgain.fetchTopicMetadata({ topics: ['trades'] })
      expect(topics[0]?.partitions).toHaveLength(4)
      await adminAgain.disconnect()
    } finally {
      await second.close()
    }
  })

  it('without a directory keeps nothing behind', async () => {
    const stack = await startLocalStack(anyPorts)
    expect(existsSync(stack.dataDir)).toBe(true)
    await s3ClientFor(stack).send(new CreateBucketCommand({ Bucket: 'passing' }))
    await stack.close()
    expect(existsSync(stack.dataDir)).toBe(false)
    await stack.close()
  })

  it('closes within two seconds though clients are connected and a request hangs', async () => {
    const stack = await startLocalStack(anyPorts)
    const s3 = s3ClientFor(stack, { maxAttempts: 1 })
    await s3.send(new CreateBucketCommand({ Bucket: 'hanging' }))
    const endless = new Readable({ read: () => undefined })
    endless.push(new Uint8Array(100_000))
    let ended = false
    const hanging = s3
      .send(new PutObjectCommand({ Bucket: 'hanging', Key: 'x', Body: endless, ContentLength: 3_000_000 }))
      .catch((error: unknown) => error)
      .finally(() => {
        ended = true
      })
    const consumer = kafkaFor(stack).consumer({ groupId: 'g' })
    await consumer.connect()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(ended).toBe(false)
    const start = performance.now()
    await stack.close()
    expect(performance.now() - start).toBeLessThan(2_000)
    expect(await hanging).toBeInstanceOf(Error)
    await consumer.disconnect()
  })

  it('refuses a directory that another stack has, naming its process', async () => {
    const dataDir = path.join(directory, 'shared')
    const stack = await startLocalStack({ dataDir, ...anyPorts })
    await expect(startLocalStack({ dataDir, ...anyPorts })).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_IN_USE',
      message: expect.stringContaining(`process ${process.pid} (this process)`),
    })
    await s3ClientFor(stack).send(new CreateBucketCommand({ Bucket: 'still-works' }))
    await stack.close()
    await withChild('setInterval(() => {}, 1000)', async (pid) => {
      await leaveLock(dataDir, JSON.stringify({ pid, startTicks: await startTicksOf(pid) }))
      await expect(startLocalStack({ dataDir, ...anyPorts })).rejects.toMatchObject({
        code: 'DATA_DIRECTORY_IN_USE',
        facts: { pid },
      })
      // The same pid, but a process that was started at another time: the owner is dead.
      await leaveLock(dataDir, JSON.stringify({ pid, startTicks: '1' }))
      await (await startLocalStack({ dataDir, ...anyPorts })).close()
    })
  })

  it('takes over from a process that was killed, also when several try at once', async () => {
    const dataDir = path.join(directory, 'killed')
    await mkdir(dataDir)
    const deadPid = await withChild('setInterval(() => {}, 1000)', async (pid) => pid)
    for (let round = 0; round < 20; round++) {
      await leaveLock(dataDir, JSON.stringify({ pid: deadPid, startTicks: '1' }))
      const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => lockDataDirectory(dataDir)))
      const taken = outcomes.filter((outcome) => outcome.status === 'fulfilled')
      expect(taken).toHaveLength(1)
      await taken[0]?.value.release()
    }
    await leaveLock(dataDir, 'torn')
    await (await startLocalStack({ dataDir, ...anyPorts })).close()
  })

  it.runIf(process.platform === 'linux')(
    'takes over from a process that was killed and not yet reaped by its parent',
    async () => {
      const dataDir = path.join(directory, 'unreaped')
      await mkdir(dataDir)
      // The shell becomes a program that never asks after the child it started before.
      const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 30'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      try {
        const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)))
        const startTicks = await startTicksOf(pid)
        while (!(await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') Z ')) await sleep(10)
        await leaveLock(dataDir, JSON.stringify({ pid, startTicks }))
        await (await lockDataDirectory(dataDir)).release()
      } finally {
        parent.kill('SIGKILL')
      }
    },
  )

  it('names the taken port and closes what it had opened', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const port = (taken.address() as { port: number }).port
    const dataDir = path.join(directory, 'half')
    for (const [ports, option] of [
      [{ httpPort: port, kafkaPort: 0 }, 'httpPort'],
      [{ httpPort: 0, kafkaPort: port }, 'kafka-port'],
    ] as const) {
      await expect(startLocalStack({ dataDir, ...ports })).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        message: expect.stringMatching(new RegExp(`${port}.*${option}`)),
      })
    }
    taken.close()
    await (await startLocalStack({ dataDir, ...anyPorts })).close()
  })

  it('says in a sentence why a directory cannot be used', async () => {
    const file = path.join(directory, 'file')
    await writeFile(file, '')
    for (const dataDir of [file, path.join(file, 'below')]) {
      await expect(startLocalStack({ dataDir, ...anyPorts })).rejects.toMatchObject({
        code: 'DATA_DIRECTORY_UNUSABLE',
        message: expect.stringContaining(dataDir),
      })
    }
  })

  it('takes objects from files that were put, moved and touched by hand', async () => {
    const dataDir = path.join(directory, 'by-hand')
    const first = await startLocalStack({ dataDir, ...anyPorts })
    const Bucket = 'by-hand'
    await s3ClientFor(first).send(new CreateBucketCommand({ Bucket }))
    await s3ClientFor(first).send(
      new PutObjectCommand({ Bucket, Key: 'touched', Body: 'same', ContentType: 'text/kept' }),
    )
    await s3ClientFor(first).send(
      new PutObjectCommand({ Bucket, Key: 'edited', Body: 'old', ContentType: 'text/old' }),
    )
    await first.close()
    const objects = path.join(dataDir, 's3', Bucket)
    await writeFile(path.join(objects, 'touched'), 'same')
    await writeFile(path.join(objects, 'edited'), 'newer')
    await mkdir(path.join(objects, 'dir/empty'), { recursive: true })
    await writeFile(path.join(objects, 'dir/added'), 'added')
    const second = await startLocalStack({ dataDir, ...anyPorts })
    try {
      const s3 = s3ClientFor(second)
      const get = async (Key: string) => {
        const { Body, ContentType } = await s3.send(new GetObjectCommand({ Bucket, Key }))
        return [await Body!.transformToString(), ContentType]
      }
      expect(await get('touched')).toEqual(['same', 'text/kept'])
      expect(await get('edited')).toEqual(['newer', 'binary/octet-stream'])
      expect(await get('dir/added')).toEqual(['added', 'binary/octet-stream'])
      await s3.send(new PutObjectCommand({ Bucket, Key: 'dir/empty', Body: 'a file now' }))
      expect((await get('dir/empty'))[0]).toBe('a file now')
    } finally {
      await second.close()
    }
  })
})
