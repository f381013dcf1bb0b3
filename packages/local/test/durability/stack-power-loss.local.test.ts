import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { AthenaClient, CreateWorkGroupCommand, paginateListWorkGroups } from '@aws-sdk/client-athena'
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  GlueClient,
  paginateGetTables,
} from '@aws-sdk/client-glue'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { expect, it, vi } from 'vitest'
import { type LocalStack, startLocalStack } from '../../src/local-stack.ts'
import { RawClient } from '../kafka/raw-client.ts'
import { s3ClientFor } from '../stack/s3-client.ts'
import { chanceFrom } from './machine.ts'
import { mountDisk, VolatileDisk } from './volatile-disk.ts'

vi.mock('node:fs', async (original) => (await import('./volatile-disk.ts')).watchFs(await original()))
vi.mock('node:fs/promises', async (original) =>
  (await import('./volatile-disk.ts')).watchFsPromises(await original()),
)

const bucket = 'lake'
const database = 'market'

/** What clients were told was done. */
class Told {
  readonly records = new Set<string>()
  readonly transactions = new Set<number>()
  readonly objects = new Set<string>()
  readonly tables = new Set<string>()
  readonly workGroups = new Set<string>()
  committedOffset = -1
}

const clientsOf = (stack: LocalStack) => {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const config = { endpoint, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 }
  const kafka = new Kafka({
    brokers: stack.kafka.brokers,
    logLevel: logLevel.NOTHING,
    retry: { retries: 3, initialRetryTime: 50, maxRetryTime: 200 },
    connectionTimeout: 10_000,
  })
  const [s3, glue, athena] = [
    s3ClientFor(stack, { maxAttempts: 1 }),
    new GlueClient(config),
    new AthenaClient(config),
  ]
  return { broker: stack.kafka.brokers[0]!, kafka, s3, glue, athena }
}
type Clients = ReturnType<typeof clientsOf>

const prepare = async ({ kafka, s3, glue }: Clients): Promise<void> => {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: ['plain', 'paired'].map((topic) => ({ topic, numPartitions: 2 })) })
  await admin.disconnect()
  await s3.send(new CreateBucketCommand({ Bucket: bucket }))
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: database } }))
}

const committedOffset = async (admin: Admin): Promise<number> => {
  const [offsets] = await admin.fetchOffsets({ groupId: 'readers', topics: ['plain'] })
  return Number(offsets?.partitions.find(({ partition }) => partition === 0)?.offset ?? -1)
}

/** Writes of every kind, each kind one after the other, until nothing is answered any more. */
const writeUntilOff = async (
  { broker, kafka, s3, glue, athena }: Clients,
  disk: VolatileDisk,
  told: Told,
) => {
  const plain = kafka.producer({ allowAutoTopicCreation: false })
  const paired = kafka.producer({
    transactionalId: 'pairs',
    maxInFlightRequests: 1,
    idempotent: true,
  })
  const [host, port] = broker.split(':')
  const raw = await RawClient.connect({ host: host!, port: Number(port) })
  await Promise.all([plain.connect(), paired.connect()])
  const writers: ((number: number) => Promise<void>)[] = [
    async (number) => {
      const value = `record-${number}`
      await plain.send({ topic: 'plain', messages: [{ value, partition: number % 2 }] })
      told.records.add(value)
    },
    async (number) => {
      const transaction = await paired.transaction()
      const messages = [0, 1].map((partition) => ({ value: `pair-${number}`, partition }))
      await transaction.send({ topic: 'paired', messages })
      await transaction.commit()
      told.transactions.add(number)
    },
    async (number) => {
      const answer = await raw.ask('offsetCommit', 7, {
        groupId: 'readers',
        generationId: -1,
        memberId: '',
        groupInstanceId: null,
        retentionMillis: -1,
        topics: [
          { name: 'plain', partitions: [{ partition: 0, offset: number, leaderEpoch: -1, metadata: null }] },
        ],
      })
      expect(answer.topics[0]!.partitions[0]!.errorCode).toBe(0)
      told.committedOffset = number
    },
    async (number) => {
      const Key = `day/${number % 3}/object-${number}`
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key, Metadata: { key: Key } }))
      told.objects.add(Key)
    },
    async (number) => {
      const TableInput = { Name: `table_${number}`, StorageDescriptor: { Columns: [] } }
      await glue.send(new CreateTableCommand({ DatabaseName: database, TableInput }))
      told.tables.add(TableInput.Name)
    },
    async (number) => {
      await athena.send(new CreateWorkGroupCommand({ Name: `group_${number}` }))
      told.workGroups.add(`group_${number}`)
    },
  ]
  await Promise.all(
    writers.map(async (write) => {
      for (let number = 0; ; number++) {
        const writing = write(number)
        // Some clients try again for ever.
        await Promise.race([writing, disk.off]).catch((error: unknown) => {
          if (!disk.isOff) throw error
        })
        if (!disk.isOff) continue
        writing.catch(() => undefined)
        return
      }
    }),
  )
  await Promise.allSettled([plain.disconnect(), paired.disconnect()])
}

/** Every committed message of a topic: the values of each partition, up to a last one that is sent here. */
const consume = async (kafka: Kafka, topic: string): Promise<Set<string>[]> => {
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [0, 1].map((partition) => ({ value: 'last', partition })) })
  await producer.disconnect()
  const found = [new Set<string>(), new Set<string>()]
  const consumer = kafka.consumer({ groupId: `all-of-${topic}`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ partition, message }) => {
        const value = String(message.value)
        expect(found[partition]!.has(value)).toBe(false)
        found[partition]!.add(value)
        if (found.every((values) => values.has('last'))) resolve()
      },
    })
  })
  await consumer.disconnect()
  return found
}

const verify = async ({ kafka, s3, glue, athena }: Clients, told: Told): Promise<void> => {
  const admin = kafka.admin()
  await admin.connect()
  expect((await admin.listTopics()).sort()).toEqual(expect.arrayContaining(['paired', 'plain']))
  expect(await committedOffset(admin)).toBeGreaterThanOrEqual(told.committedOffset)
  await admin.disconnect()
  const records = await consume(kafka, 'plain')
  for (const value of told.records)
    expect(
      records.some((values) => values.has(value)),
      value,
    ).toBe(true)
  const pairs = await consume(kafka, 'paired')
  expect([...pairs[0]!].sort()).toEqual([...pairs[1]!].sort())
  for (const number of told.transactions) expect(pairs[0]).toContain(`pair-${number}`)
  for (const Key of told.objects) {
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }))
    expect(await object.Body!.transformToString()).toBe(Key)
    expect(object.Metadata).toEqual({ key: Key })
  }
  const tables = new Set<string | undefined>()
  for await (const page of paginateGetTables({ client: glue }, { DatabaseName: database })) {
    for (const { Name } of page.TableList!) tables.add(Name)
  }
  for (const name of told.tables) expect(tables).toContain(name)
  const groups = new Set<string | undefined>()
  for await (const page of paginateListWorkGroups({ client: athena }, {})) {
    for (const { Name } of page.WorkGroups!) groups.add(Name)
  }
  for (const name of told.workGroups) expect(groups).toContain(name)
}

const openStack = async (disk: VolatileDisk) => {
  // The owner of a claim that survived would be dead; here it is this process.
  for (const name of readdirSync(disk.root)) {
    if (name.startsWith('stockpipe-')) rmSync(path.join(disk.root, name))
  }
  const stack = await startLocalStack({ dataDir: disk.root, kafkaPort: 0, httpPort: 0, fsync: true })
  const clients = clientsOf(stack)
  const close = async () => {
    for (const client of [clients.s3, clients.glue, clients.athena]) client.destroy()
    await stack.close()
  }
  return { clients, close }
}

it('what unmodified clients were told is there after a power loss, and no half of a transaction', {
  timeout: 300_000,
}, async () => {
  const work = async (steps: number, seed: number) => {
    const base = mkdtempSync(path.join(tmpdir(), 'stockpipe-power-'))
    const disk = new VolatileDisk(base)
    mountDisk(disk)
    try {
      const told = new Told()
      const first = await openStack(disk)
      await prepare(first.clients)
      disk.failAfter(steps)
      await writeUntilOff(first.clients, disk, told)
      await first.close().catch(() => undefined)
      disk.restartMachine(chanceFrom(seed))
      const second = await openStack(disk)
      try {
        await verify(second.clients, told)
      } finally {
        await second.close()
      }
    } finally {
      disk.unplug()
      mountDisk(undefined)
      rmSync(base, { recursive: true, force: true })
    }
  }
  const cut = fc.integer({ min: 20, max: 1_500 })
  await fc.assert(fc.asyncProperty(cut, fc.integer(), work), { numRuns: 5, endOnFailure: true })
})
