import { systemRuntime } from '@stockpipe/core'
import type { Kafka } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { withAdmin } from '../src/admin-session.ts'
import { BatchSender } from '../src/batch-sender.ts'
import { OutgoingBatch } from '../src/outgoing-records.ts'
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
    producer: () => ({ connect: call('connect'), send: call('send'), disconnect }),
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
    const options = { kafka, topic: quotesTopic('quotes', 1), idempotent: true, compression: undefined }
    const sender = new BatchSender({ ...options, runtime: systemRuntime })
    const batch = new OutgoingBatch({ maxBatchRows: 10, maxBatchBytes: 1000 })
    void sender.send(batch).catch(() => {})
    await turn()
    const closing = sender.close()
    await turn()
    expect(calls).toEqual(['send'])
    answer('send')
    await closing
    expect(calls).toEqual(['send', 'send answered', 'disconnect'])
  })
})
