import { once } from 'node:events'
import { connect } from 'node:net'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it } from 'vitest'
import { startLocalStack } from '../../src/local-stack.ts'
import { sign } from '../http/raw-request.ts'
import { s3ClientFor } from './s3-client.ts'

it('a stack closes though fetches wait, a body is half sent, and idle connections are kept alive', async () => {
  const stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
  const s3 = s3ClientFor(stack)
  await s3.send(new CreateBucketCommand({ Bucket: 'open' }))

  // A fetch that waits for half a minute for messages that do not come.
  const kafka = new Kafka({ brokers: stack.kafka.brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } })
  const admin = kafka.admin()
  await admin.createTopics({ topics: [{ topic: 'quiet' }] })
  await admin.disconnect()
  const consumer = kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 30_000, sessionTimeout: 60_000 })
  await consumer.subscribe({ topic: 'quiet' })
  const fetching = new Promise((resolve) => consumer.on('consumer.fetch_start', resolve))
  await consumer.run({ eachMessage: async () => undefined })
  await fetching

  const open = async (bytes: string, answer: string) => {
    const socket = connect(Number(new URL(stack.aws.endpoint).port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(bytes)
    const [first] = await once(socket, 'data')
    expect(String(first)).toContain(answer)
    return { closed: once(socket, 'close') }
  }
  const upload = {
    method: 'PUT',
    path: '/open/half',
    payloadHash: 'UNSIGNED-PAYLOAD',
    body: 'x'.repeat(9_000),
  }
  const { headers } = sign(stack, { ...upload, unsigned: { expect: '100-continue' } })
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const half = await open(`PUT /open/half HTTP/1.1\r\n${head.join('')}\r\nhalf`, '100 Continue')
  const idle = await open('GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n', 'HTTP/1.1 403')

  const startedMillis = performance.now()
  await stack.close()
  const closedMillis = performance.now() - startedMillis
  await Promise.all([half.closed, idle.closed])
  // It is asked to take 2 s at most; the bound is what a busy machine needs, and far below what the fetch waits.
  console.log(`closed in ${Math.round(closedMillis)} ms`)
  expect(closedMillis).toBeLessThan(10_000)
  s3.destroy()
  await consumer.disconnect()
})
