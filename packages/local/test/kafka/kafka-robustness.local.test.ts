import { expect, test } from 'vitest'
import type { RequestLogEntry } from '../../src/kafka/network/connection.ts'
import { type ApiName, apiTable, type RequestOf } from '../../src/kafka/protocol/api-table.ts'
import { WireReader } from '../../src/kafka/protocol/wire-reader.ts'
import { connectedAdmin, kafkajsClient, startTestBroker } from './broker-fixture.ts'
import { RawClient, requestFrame } from './raw-client.ts'
import { recordBatch } from './record-batch-fixture.ts'

const metadataRequest: RequestOf<'metadata'> = {
  topics: null,
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

const topicPartition = { name: 'trades', partition: 0 }
const member = { groupId: 'g', generationId: 1, memberId: 'nobody', groupInstanceId: null }
const producer = { transactionalId: 'nobody', producerId: 5, producerEpoch: 0 }
const commits = [
  { name: 'trades', partitions: [{ partition: 0, offset: 0, leaderEpoch: -1, metadata: null }] },
]

/** One request of each API. */
const requests = async (): Promise<{ [Name in ApiName]: RequestOf<Name> }> => ({
  saslHandshake: { mechanism: 'PLAIN' },
  saslAuthenticate: { authBytes: Buffer.from('\0dev\0dev-secret') },
  apiVersions: {},
  metadata: metadataRequest,
  createTopics: {
    topics: [{ name: 'trades', partitionCount: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMillis: 1000,
    validateOnly: false,
  },
  createPartitions: {
    topics: [{ name: 'trades', partitionCount: 1, assignments: null }],
    timeoutMillis: 1000,
    validateOnly: true,
  },
  describeConfigs: {
    resources: [
      { resourceType: 2, resourceName: 'trades', configNames: null },
      { resourceType: 4, resourceName: '1', configNames: null },
    ],
    includeSynonyms: true,
  },
  alterConfigs: {
    resources: [{ resourceType: 2, resourceName: 'trades', configs: [] }],
    validateOnly: false,
  },
  incrementalAlterConfigs: {
    resources: [
      {
        resourceType: 2,
        resourceName: 'trades',
        configs: [{ name: 'retention.ms', operation: 0, value: '-1' }],
      },
    ],
    validateOnly: false,
  },
  produce: {
    transactionalId: null,
    acks: -1,
    timeoutMillis: 1000,
    topics: [
      { name: 'trades', partitions: [{ partition: 0, records: await recordBatch({ values: ['a'] }) }] },
    ],
  },
  fetch: {
    replicaId: -1,
    maxWaitMillis: 10,
    minBytes: 1,
    maxBytes: 1_000_000,
    isolationLevel: 1,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        name: 'trades',
        partitions: [
          { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0, logStartOffset: -1, maxBytes: 1_000_000 },
        ],
      },
    ],
    forgottenTopics: [],
    rackId: '',
  },
  listOffsets: {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: 'trades', partitions: [{ partition: 0, currentLeaderEpoch: -1, timestamp: -1 }] }],
  },
  offsetForLeaderEpoch: {
    replicaId: -1,
    topics: [{ name: 'trades', partitions: [{ partition: 0, currentLeaderEpoch: 0, leaderEpoch: 0 }] }],
  },
  deleteRecords: {
    topics: [{ name: 'trades', partitions: [{ partition: 0, offset: 0 }] }],
    timeoutMillis: 1000,
  },
  findCoordinator: { key: 'g', keyType: 0 },
  joinGroup: {
    ...member,
    sessionTimeoutMillis: 10_000,
    rebalanceTimeoutMillis: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
  },
  syncGroup: { ...member, assignments: [] },
  heartbeat: member,
  leaveGroup: { groupId: 'g', memberId: 'nobody', members: [{ memberId: 'nobody', groupInstanceId: null }] },
  describeGroups: { groupIds: ['g'], includeAuthorizedOperations: false },
  listGroups: {},
  deleteGroups: { groupIds: ['absent'] },
  offsetCommit: { ...member, generationId: -1, memberId: '', retentionMillis: -1, topics: commits },
  offsetFetch: { groupId: 'g', topics: [{ name: 'trades', partitions: [0] }] },
  initProducerId: { transactionalId: null, transactionTimeoutMillis: 1000 },
  addPartitionsToTransaction: { ...producer, topics: [{ name: 'trades', partitions: [0] }] },
  addOffsetsToTransaction: { ...producer, groupId: 'g' },
  transactionOffsetCommit: { ...producer, groupId: 'g', topics: commits },
  endTransaction: { ...producer, committed: true },
  deleteTopics: { topicNames: [topicPartition.name], timeoutMillis: 1000 },
})

test('every served version of every API is answered in its own form', async () => {
  const client = await RawClient.connect(await startTestBroker())
  for (const [name, request] of Object.entries(await requests()) as [ApiName, never][]) {
    for (let version = apiTable[name].minVersion; version <= apiTable[name].maxVersion; version++) {
      expect(await client.ask(name, version, request)).toBeDefined()
    }
  }
})

test('ApiVersions of a flexible version is answered with the body of v0 and error 35', async () => {
  const client = await RawClient.connect(await startTestBroker())
  const frame = requestFrame('apiVersions', 0, {})
  frame.writeInt16BE(3, 6)
  client.write(frame)
  const reader = new WireReader(await client.nextFrame())
  expect(reader.int32()).toBe(1)
  const answer = apiTable.apiVersions.response.read(reader, 0)
  expect(answer.errorCode).toBe(35)
  expect(answer.apiKeys).toContainEqual({ apiKey: 18, minVersion: 0, maxVersion: 2 })
  expect(reader.remaining).toBe(0)
})

test('what breaks the protocol closes its own connection only, and the log says why', async () => {
  const failures: RequestLogEntry[] = []
  const broker = await startTestBroker({ onRequest: (entry) => void (entry.error && failures.push(entry)) })
  const healthy = await RawClient.connect(broker)
  const length = (byteCount: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(byteCount)
    return bytes
  }
  const unknownApi = requestFrame('listGroups', 0, {})
  unknownApi.writeInt16BE(999, 4)
  const unknownVersion = requestFrame('fetch', 4, (await requests()).fetch)
  unknownVersion.writeInt16BE(12, 6)
  const cutOff = requestFrame('metadata', 6, { ...metadataRequest, topics: ['trades'] }).subarray(0, -4)
  cutOff.writeInt32BE(cutOff.length - 4)
  const broken = {
    'negative length': length(-5),
    'length above 100 MiB': length(100 * 1024 * 1024 + 1),
    'empty frame': length(0),
    'unknown API': unknownApi,
    'unknown version': unknownVersion,
    'request cut off': cutOff,
    'no Kafka at all': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  }
  for (const [what, bytes] of Object.entries(broken)) {
    const client = await RawClient.connect(broker)
    client.write(bytes)
    await expect(client.closed(), what).resolves.toBeUndefined()
  }
  expect((await healthy.ask('listGroups', 0, {})).errorCode).toBe(0)
  expect(failures.map(({ error }) => error)).toEqual([
    expect.stringContaining('-5 bytes'),
    expect.stringContaining('104857601 bytes'),
    expect.stringContaining('does not fit into its frame'),
    expect.stringContaining('API 999 is not served'),
    expect.stringContaining('Fetch v12 is not served'),
    expect.stringContaining('does not fit into its frame'),
    expect.stringContaining('bytes is not between'),
  ])
})

test('a record batch that is damaged, doubled, old or inconsistent is refused with its own code', async () => {
  const broker = await startTestBroker()
  await (await connectedAdmin(kafkajsClient(broker))).createTopics({ topics: [{ topic: 'trades' }] })
  const client = await RawClient.connect(broker)
  const codeOf = async (records: Buffer | null, version = 7) => {
    const request = (await requests()).produce
    request.topics[0]!.partitions[0]!.records = records
    return (await client.ask('produce', version, request)).topics[0]!.partitions[0]!.errorCode
  }
  const changed = (batch: Buffer, change: (bytes: Buffer) => unknown) => {
    const bytes = Buffer.from(batch)
    change(bytes)
    return bytes
  }
  const batch = await recordBatch({ values: ['a', 'b'] })
  expect(await codeOf(batch)).toBe(0)
  expect(await codeOf(changed(batch, (bytes) => bytes.writeUInt8(bytes.at(-1)! ^ 1, bytes.length - 1)))).toBe(
    2,
  )
  expect(await codeOf(changed(batch, (bytes) => bytes.writeInt32BE(1_000_000, 8)))).toBe(2)
  expect(await codeOf(batch.subarray(0, 30))).toBe(2)
  expect(await codeOf(null)).toBe(2)
  expect(await codeOf(Buffer.concat([batch, batch]))).toBe(87)
  expect(await codeOf(changed(batch, (bytes) => bytes.writeInt8(1, 16)))).toBe(43)
  expect(
    await codeOf(
      changed(batch, (bytes) => bytes.writeInt8(1, 16)),
      2,
    ),
  ).toBe(43)
  expect(await codeOf(await recordBatch({ values: ['a'], transactional: true }))).toBe(87)
  expect(await codeOf(await recordBatch({ values: ['a'], transactional: true, producerId: 9 }))).toBe(49)
})

test('thousands of mutated frames close connections at most', async () => {
  const seed = Date.now() % 2 ** 31
  let state = seed
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * below)
  }
  let handled = 0
  const errors: string[] = []
  const broker = await startTestBroker({
    onRequest(entry) {
      if (entry.error === undefined) handled++
      else errors.push(entry.error)
    },
  })
  const valid = await requests()
  const names = Object.keys(valid) as ApiName[]
  let client = await RawClient.connect(broker)
  const frameCount = 2000
  for (let round = 0; round < frameCount; round++) {
    const name = names[random(names.length)]!
    const { minVersion, maxVersion } = apiTable[name]
    const frame = requestFrame(name, minVersion + random(maxVersion - minVersion + 1), valid[name] as never)
    // The length and the header stay whole in most, so that handlers are reached.
    const firstChanged = random(4) === 0 ? 4 : 17
    for (let change = random(3); change >= 0 && frame.length > firstChanged; change--) {
      frame[firstChanged + random(frame.length - firstChanged)] = random(256)
    }
    client.write(frame)
    // No answer: the connection was closed, or the fetch waits for a mutated time.
    if (!(await client.isAnsweredWithin(50))) client = await RawClient.connect(broker)
  }
  const last = await RawClient.connect(broker)
  expect((await last.ask('listGroups', 0, {})).errorCode, `seed ${seed}`).toBe(0)
  // Only what is malformed may close a connection: any other message is an error of a handler.
  const isMalformed = /does not fit into its frame|is not served|is not between 0 and|may not be null/
  expect(
    errors.filter((message) => !isMalformed.test(message)),
    `seed ${seed}`,
  ).toEqual([])
  console.info(`${handled} of ${frameCount} mutated frames reached a handler (seed ${seed})`)
  expect(handled).toBeGreaterThan(frameCount * 0.3)
})
