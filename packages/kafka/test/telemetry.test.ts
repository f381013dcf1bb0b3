import { type BatchDelivered, channels } from '@stockpipe/core'
import { expect, it, onTestFinished } from 'vitest'
import { deliveryUnderTest } from './delivery-fixture.ts'
import { FakeCluster } from './fake-cluster.ts'

it('a producer tells of each batch once, when it is acknowledged or given up', async () => {
  const heard: BatchDelivered[] = []
  onTestFinished(channels.kafka.delivery.subscribe((payload) => heard.push(payload)))
  const cluster = new FakeCluster()
  const { send, runtime } = await deliveryUnderTest({ cluster, retries: 0, lingerMillis: 70 })
  const sent = send([
    [0, 'a'],
    [0, 'b'],
  ])
  await runtime.pass(70)
  await sent
  expect(heard).toEqual([
    {
      topic: 'trades',
      partition: 0,
      records: 2,
      bytes: expect.any(Number),
      millis: 70,
      outcome: 'delivered',
    },
  ])
  cluster.fault = () => ({ error: 7 })
  const refused = expect(send([[1, 'c']])).rejects.toMatchObject({ code: 'DELIVERY_FAILED' })
  await runtime.pass(70)
  await refused
  expect(heard.slice(1)).toEqual([
    {
      topic: 'trades',
      partition: 1,
      records: 1,
      bytes: expect.any(Number),
      millis: 70,
      outcome: 'failed',
      code: 'DELIVERY_FAILED',
    },
  ])
})
