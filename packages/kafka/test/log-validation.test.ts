import { describe, expect, it } from 'vitest'
import { EpochHistory } from '../src/epoch-history.ts'
import { FetchedBatch, fetchedBatches, fetchedBlocks } from '../src/fetched-batch.ts'
import { loadInflate } from '../src/inflate.ts'
import type { KafkajsBroker, ProtocolRequest } from '../src/kafkajs-cluster.ts'
import { LogValidation } from '../src/log-validation.ts'
import type { FetchAnswer } from '../src/raw-fetch-response.ts'
import { encodeBatch } from './encoded-batch.ts'
import { ManualRuntime } from './manual-runtime.ts'

const inflate = await loadInflate()
const limits = { maxBlockRecords: 1000, maxBlockBytes: 1_000_000 }
const log = { topic: 'topic', partition: 0 }

const batchOf = (baseOffset: number, count: number, leaderEpoch: number): Buffer =>
  encodeBatch({
    baseOffset,
    leaderEpoch,
    records: Array.from({ length: count }, (_, offsetDelta) => ({
      offsetDelta,
      value: Buffer.from('value'),
    })),
  })

const fetchedFrom = (from: number, ...batches: Buffer[]): FetchedBatch[] =>
  fetchedBatches(log, Buffer.concat(batches), BigInt(from), [])!

describe('the leader epoch of what was fetched', () => {
  it('is that of its block, and a leader that follows begins another block', () => {
    const messages = fetchedFrom(2, batchOf(0, 4, 1), batchOf(4, 2, 1), batchOf(6, 3, 2), batchOf(9, 1, -1))
    const range = { position: 2n, from: 2n, nextOffset: 10n }
    const blocks = [...fetchedBlocks({ ...log, messages: messages as never }, range, limits, inflate)]
    expect(
      blocks.map(({ firstOffset, nextOffset, leaderEpoch }) => [firstOffset, nextOffset, leaderEpoch]),
    ).toEqual([
      [2n, 6n, 1],
      [6n, 9n, 2],
      [9n, 10n, undefined],
    ])
  })

  it('is known of each offset, also behind batches that are not shown, until it is fetched again', () => {
    const history = new EpochHistory({ offset: 9n, leaderEpoch: 3 })
    expect([9n, 10n].map((offset) => history.before(offset))).toEqual([undefined, 3])
    history.fetched(10n, [
      FetchedBatch.steppedOver(14n, 3),
      FetchedBatch.steppedOver(19n, 5),
      FetchedBatch.steppedOver(24n, -1),
    ])
    expect([10n, 15n, 16n, 20n, 25n].map((offset) => history.before(offset))).toEqual([3, 3, 5, 5, 5])
    history.fetched(15n, [FetchedBatch.steppedOver(19n, 7)])
    expect([15n, 20n].map((offset) => history.before(offset))).toEqual([3, 7])
  })
})

interface Leader {
  epoch: number
  /** As Metadata tells it, which may be behind. */
  knownEpoch: number
  topicId: number
  /** What OffsetForLeaderEpoch answers. */
  end: { errorCode: number; leaderEpoch: number; endOffset: bigint }
}

/** A leader that answers as told, and the requests it was sent. */
const leaderOf = (leader: Leader) => {
  const requests: string[] = []
  const answerTo = (apiKey: number, body: Buffer): Buffer => {
    if (apiKey === 3) {
      requests.push('ids')
      const id = Buffer.alloc(16, leader.topicId)
      const head = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 0, 0, 6])
      const epochs = Buffer.alloc(14)
      epochs.writeInt32BE(0, 2)
      epochs.writeInt32BE(1, 6)
      epochs.writeInt32BE(leader.knownEpoch, 10)
      return Buffer.concat([
        head,
        Buffer.from('topic'),
        id,
        Buffer.from([0, 2]),
        epochs,
        Buffer.from([1, 1, 1, 0]),
        Buffer.alloc(10),
      ])
    }
    const asked = body.length - 8
    requests.push(`end of ${body.readInt32BE(asked + 4)}, led in ${body.readInt32BE(asked)}`)
    const answer = Buffer.alloc(37)
    answer.writeInt32BE(1, 4)
    answer.writeInt16BE(5, 8)
    answer.write('topic', 10)
    answer.writeInt32BE(1, 15)
    answer.writeInt16BE(leader.end.errorCode, 19)
    answer.writeInt32BE(leader.end.leaderEpoch, 25)
    answer.writeBigInt64BE(leader.end.endOffset, 29)
    return answer
  }
  const broker = {
    versions: { 3: { maxVersion: 12 }, 23: { maxVersion: 4 } },
    connectionPool: {
      send: async <Answer>({ request, response }: ProtocolRequest<Answer>) => {
        const { buffer } = await request.encode()
        return response.parse(await response.decode(answerTo(request.apiKey, buffer)))
      },
    },
  } as unknown as KafkajsBroker
  return { broker, requests }
}

const following = () => {
  const leader: Leader = {
    epoch: 4,
    knownEpoch: 4,
    topicId: 1,
    end: { errorCode: 0, leaderEpoch: 4, endOffset: 100n },
  }
  const { broker, requests } = leaderOf(leader)
  const runtime = new ManualRuntime()
  const validation = new LogValidation(runtime)
  const topicId = Buffer.alloc(16, 1).toString('base64url')
  validation.learn('topic', { topicId, leaderEpochs: new Map([[0, 4]]), leaderless: [] })
  /** What comes of a fetch, and which leader it was meant for. */
  const fetch = async (from: number, messages: FetchedBatch[], errorCode = 0) => {
    const asked = validation.asked([
      { topic: 'topic', partitions: [{ partition: 0, fetchOffset: String(from) }] },
    ])
    const validated = validation.beforeFetch(broker, asked)
    const partition = {
      partition: 0,
      errorCode,
      highWatermark: '100',
      lastStableOffset: '100',
      lastStartOffset: '0',
      abortedTransactions: [],
      preferredReadReplica: -1,
      messages,
    }
    const answer: FetchAnswer<FetchedBatch> = {
      throttleTime: 0,
      clientSideThrottleTime: 0,
      errorCode: 0,
      sessionId: 0,
      responses: [{ topicName: 'topic', partitions: [partition] }],
    }
    const { responses } = await validated(answer)
    const [left] = responses[0]!.partitions
    return {
      meantFor: asked[0]!.partitions[0]!.currentLeaderEpoch,
      left,
      failure: left?.messages[0]?.failure,
    }
  }
  return { leader, requests, runtime, validation, fetch }
}

describe('a fetch', () => {
  it('says which leader it is meant for once answers are read here, and asks nothing while that stays', async () => {
    const { fetch, requests, runtime } = following()
    expect((await fetch(0, fetchedFrom(0, batchOf(0, 10, 4)))).meantFor).toBeUndefined()
    expect(requests.splice(0)).toEqual(['ids'])
    await runtime.pass(20)
    const second = await fetch(10, fetchedFrom(10, batchOf(10, 10, 4)))
    expect(second).toMatchObject({ meantFor: 4, failure: undefined, left: { messages: [{ offset: '19' }] } })
    expect(requests).toEqual([])
  })

  it('whose records are of a later leader is handed over once that leader has said that nothing read is gone', async () => {
    const { fetch, requests, leader } = following()
    await fetch(0, fetchedFrom(0, batchOf(0, 10, 3)))
    requests.length = 0
    leader.end = { errorCode: 0, leaderEpoch: 3, endOffset: 10n }
    expect((await fetch(10, fetchedFrom(10, batchOf(10, 10, 4)))).failure).toBeUndefined()
    expect(requests.splice(0)).toEqual(['end of 3, led in 4'])
    await fetch(20, fetchedFrom(20, batchOf(20, 10, 4)))
    expect(requests).toEqual([])
  })

  it.each([
    ['ends before what was read', { errorCode: 0, leaderEpoch: 3, endOffset: 9n }, { epochEnd: 9n }],
    ['is not known any more', { errorCode: 0, leaderEpoch: -1, endOffset: -1n }, {}],
  ])('fails when it is handed over where the epoch that was read %s', async (_, end, facts) => {
    const { fetch, leader } = following()
    await fetch(0, fetchedFrom(0, batchOf(0, 10, 3)))
    leader.end = end
    const { failure, left } = await fetch(10, fetchedFrom(10, batchOf(10, 10, 4)))
    expect(failure).toMatchObject({
      code: 'LOG_CHANGED',
      retryable: false,
      facts: { topic: 'topic', partition: 0, position: 10n, leaderEpoch: 3, ...facts },
    })
    expect(left!.messages).toHaveLength(1)
  })

  it('is made again where the leader refuses to say, and compared with the same epoch then', async () => {
    const { fetch, requests, leader } = following()
    await fetch(0, fetchedFrom(0, batchOf(0, 10, 3)))
    leader.end = { errorCode: 6, leaderEpoch: -1, endOffset: -1n }
    expect((await fetch(10, fetchedFrom(10, batchOf(10, 10, 4)))).left).toBeUndefined()
    leader.end = { errorCode: 0, leaderEpoch: 3, endOffset: 8n }
    expect((await fetch(10, fetchedFrom(10, batchOf(10, 10, 4)))).failure).toMatchObject({
      code: 'LOG_CHANGED',
    })
    expect(requests.filter((request) => request.startsWith('end of 3'))).toHaveLength(2)
  })

  it('that is fenced is made again for the leader there is', async () => {
    const { fetch, leader } = following()
    await fetch(0, fetchedFrom(0, batchOf(0, 10, 4)))
    leader.knownEpoch = 6
    expect(await fetch(10, [], 74)).toMatchObject({ meantFor: 4, left: undefined })
    expect((await fetch(10, [])).meantFor).toBe(6)
  })

  it('that comes before its broker knows of the new leader waits a moment', async () => {
    const { fetch, runtime } = following()
    await fetch(0, fetchedFrom(0, batchOf(0, 10, 4)))
    let isOver = false
    const waiting = fetch(10, [], 75).then((fetched) => {
      isOver = true
      return fetched
    })
    await runtime.pass(99)
    expect(isOver).toBe(false)
    await runtime.pass(1)
    expect((await waiting).left).toBeUndefined()
  })

  it.each([
    ['that brings records after so long that the topic could have been made anew', 21, 0],
    ['that brings records after one that failed', 0, 3],
  ])('%s is compared by the id of the topic', async (_, betweenMillis, errorCode) => {
    const { fetch, runtime, leader, requests } = following()
    await fetch(0, fetchedFrom(0, batchOf(0, 10, 4)))
    requests.length = 0
    leader.topicId = 2
    if (errorCode) await fetch(10, [], errorCode)
    await runtime.pass(betweenMillis)
    expect((await fetch(10, [])).failure).toBeUndefined()
    expect(requests).toEqual([])
    const { failure } = await fetch(10, fetchedFrom(10, batchOf(10, 10, 4)))
    expect(requests).toEqual(['ids'])
    expect(failure).toMatchObject({
      code: 'LOG_CHANGED',
      message: expect.stringMatching(/topic was deleted and made anew.*offset 10/),
      facts: { topic: 'topic', partition: 0, position: 10n },
    })
  })

  it('goes on with a topic that is made anew where nothing was read of the one before', async () => {
    const { fetch, runtime, leader } = following()
    leader.topicId = 2
    leader.knownEpoch = 0
    await runtime.pass(1000)
    expect((await fetch(0, fetchedFrom(0, batchOf(0, 10, 0)))).failure).toBeUndefined()
    expect(await fetch(10, fetchedFrom(10, batchOf(10, 10, 0)))).toMatchObject({
      meantFor: 0,
      failure: undefined,
    })
    leader.topicId = 3
    await runtime.pass(1000)
    expect((await fetch(20, fetchedFrom(20, batchOf(20, 10, 0)))).failure).toMatchObject({
      code: 'LOG_CHANGED',
    })
  })

  it('of a log that a sink goes on with is compared although nothing of it was fetched', () => {
    const { validation } = following()
    const identity = {
      topicId: Buffer.alloc(16, 3).toString('base64url'),
      leaderEpochs: new Map<number, number>(),
      leaderless: [],
    }
    validation.begin({ ...log, offset: 0n })
    expect(() => validation.learn('topic', identity)).not.toThrow()
    validation.begin({ ...log, offset: 10n })
    expect(() => validation.learn('topic', { ...identity, topicId: 'another' })).toThrow(/made anew/)
  })
})
