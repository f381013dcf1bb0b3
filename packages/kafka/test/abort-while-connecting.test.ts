import { systemRuntime } from '@stockpipe/core'
import type { Kafka } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { withAdmin } from '../src/admin-session.ts'
import { KafkajsProducerConnection } from '../src/producer-connection.ts'
import { quotesTopic } from './local-broker.ts'

/** A client whose calls are answered when told to, and that notes their order. */
const scripted = () => {
  const calls: string[] = []
  const answers = new Map<string, () => void>()
  const call = (name: string) => async () => {
    calls.push(name)
    await new Promise<void>((resolve) => answers.set(name, resolve))
    calls.push(`${name} answered`)
  }
  const disconnect = async () => void calls.push('disconnect')
  const fetchTopicOffsets = async () => [{ partition: 0, low: '0', high: '0', offset: '0' }]
  const kafka = {
    admin: () => ({
      connect: call('connect'),
      listTopics: call('listTopics'),
      disconnect,
      fetchTopicOffsets,
    }),
    [Symbol('private:Kafka:createCluster')]: () => ({
      connect: async () => {},
      disconnect,
      addMultipleTargetTopics: async () => {},
      refreshMetadata: async () => {},
      findTopicPartitionMetadata: () => [{ partitionId: 0, leader: 1 }],
      findBroker: async () => ({
        versions: { 0: { maxVersion: 9 } },
        connectionPool: { send: call('send') },
      }),
    }),
  } as unknown as Kafka
  return { kafka, calls, answer: (name: string) => answers.get(name)!() }
}
const turn = () => new Promise((resolve) => setTimeout(resolve, 20))

// kafkajs that is disconnected while a call is under way connects again for it, and retries for 10 seconds and more
// when the broker has gone meanwhile: the program could not end.
describe('an abort', () => {
  it.each(['connect', 'listTopics'])('lets the admin end its %s before it disconnects', async (name) => {
    const { kafka, calls, answer } = scripted()
    const abort = new AbortController()
    const session = withAdmin(kafka, { runtime: systemRuntime, signal: abort.signal }, (admin) =>
      admin.listTopics(),
    )
    await turn()
    if (name === 'listTopics') answer('connect')
    await turn()
    abort.abort(new Error('enough'))
    await turn()
    expect(calls.at(-1)).toBe(name)
    answer(name)
    await expect(session).rejects.toThrow('enough')
    expect(calls.slice(-2)).toEqual([`${name} answered`, 'disconnect'])
    if (name === 'connect') expect(calls).not.toContain('listTopics')
  })

  it('lets the producer end what it sends before it disconnects', async () => {
    const { kafka, calls, answer } = scripted()
    const connection = new KafkajsProducerConnection({
      kafka,
      topic: quotesTopic('quotes', 1),
      runtime: systemRuntime,
    })
    expect(await connection.connect()).toBe(1)
    const leader = await connection.reach(connection.leaderOf(0)!)
    void leader.produce([]).catch(() => {})
    await turn()
    const closing = connection.close()
    await turn()
    expect(calls).toEqual(['send'])
    answer('send')
    await closing
    expect(calls).toEqual(['send', 'send answered', 'disconnect'])
  })
})

describe('a producer', () => {
  it('refuses a Kafka whose connections it cannot open', () => {
    const options = { kafka: {} as Kafka, topic: quotesTopic('quotes', 1), runtime: systemRuntime }
    expect(() => new KafkajsProducerConnection(options)).toThrow(
      expect.objectContaining({ code: 'KAFKAJS_UNSUPPORTED' }),
    )
  })
})
