import { connect } from 'node:net'
import { GetDatabasesCommand, GlueClient } from '@aws-sdk/client-glue'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it, vi } from 'vitest'
import { startLocalStack } from '../../src/local-stack.ts'
import { formatRequest, type LocalRequest } from '../../src/request-log.ts'
import { sign } from '../http/raw-request.ts'
import { s3ClientFor } from './s3-client.ts'

const anyPorts = { httpPort: 0, kafkaPort: 0 }

it('every request of every service is told with what it asked for and what came of it, and no secret', async () => {
  const requests: LocalRequest[] = []
  const secretAccessKey = 'a-secret-nobody-may-see'
  await using stack = await startLocalStack({
    ...anyPorts,
    secretAccessKey,
    onRequest: (request) => requests.push(request),
  })
  const s3 = s3ClientFor(stack)
  await s3.send(new CreateBucketCommand({ Bucket: 'told' }))
  await s3.send(new PutObjectCommand({ Bucket: 'told', Key: 'a b/ü', Body: Buffer.alloc(5_000) }))
  await s3.send(new GetObjectCommand({ Bucket: 'told', Key: 'missing' })).catch(() => undefined)
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: 'told', Key: 'a b/ü' }))
  await (await fetch(url)).arrayBuffer()
  const { endpoint, region, accessKeyId } = stack.aws
  const glue = new GlueClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  await glue.send(new GetDatabasesCommand({}))
  const kafka = new Kafka({ clientId: 'teller', brokers: stack.kafka.brokers, logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.createTopics({ topics: [{ topic: 'told' }] })
  await admin.createTopics({ topics: [{ topic: 'told' }] })
  await admin.disconnect()
  s3.destroy()
  glue.destroy()

  const seconds = {
    durationMillis: expect.any(Number),
    remoteAddress: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  }
  const wanted = [
    { service: 'http', operation: 'CreateBucket', bucket: 'told', method: 'PUT', statusCode: 200 },
    { service: 'http', operation: 'PutObject', bucket: 'told', key: 'a b/ü', statusCode: 200, ...seconds },
    { service: 'http', operation: 'GetObject', key: 'missing', statusCode: 404 },
    { service: 'http', operation: 'GetObject', key: 'a b/ü', statusCode: 200 },
    { service: 'http', operation: 'GetDatabases', method: 'POST', statusCode: 200 },
    {
      service: 'kafka',
      api: 'CreateTopics',
      clientId: 'teller',
      topics: ['told'],
      errorCodes: [],
      ...seconds,
    },
    { service: 'kafka', api: 'CreateTopics', clientId: 'teller', topics: ['told'], errorCodes: [36] },
  ]
  await vi.waitFor(() => {
    for (const entry of wanted) expect(requests).toContainEqual(expect.objectContaining(entry))
  })
  const put = requests.find((each) => each.service === 'http' && each.operation === 'PutObject')
  expect(put?.requestBytes).toBeGreaterThan(5_000)
  expect(put?.requestBytes).toBeLessThan(8_000)
  const got = requests.find(
    (each) => each.service === 'http' && each.method === 'GET' && each.statusCode === 200,
  )
  expect(got?.responseBytes).toBeGreaterThan(5_000)
  const lines = requests.map(formatRequest).join('\n')
  expect(lines).toContain('http operation=PutObject method=PUT bucket=told key="a b/ü" status=200 remote=')
  expect(lines).toMatch(
    /^kafka api=CreateTopics version=\d+ client=teller topics=told errors=36 remote=\S+ millis=/m,
  )
  for (const secret of [secretAccessKey, /signature/i, /authorization/i, /credential/i, accessKeyId]) {
    expect(lines).not.toMatch(secret)
  }
})

it('a request whose connection ends is told as such, and a log that throws harms nobody', async () => {
  const requests: LocalRequest[] = []
  await using stack = await startLocalStack({
    ...anyPorts,
    onRequest: (request) => {
      requests.push(request)
      throw new Error('the log is full')
    },
  })
  const s3 = s3ClientFor(stack, { maxAttempts: 1 })
  await s3.send(new CreateBucketCommand({ Bucket: 'told' }))
  const half = sign(stack, {
    method: 'PUT',
    path: '/told/x',
    payloadHash: 'UNSIGNED-PAYLOAD',
    body: 'x'.repeat(9_000),
  })
  const head = Object.entries(half.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(Number(new URL(stack.aws.endpoint).port), '127.0.0.1')
  socket.end(`PUT /told/x HTTP/1.1\r\n${head.join('')}\r\nhalf`)
  socket.on('error', () => undefined).resume()
  await vi.waitFor(() => {
    expect(requests).toContainEqual(
      expect.objectContaining({ operation: 'PutObject', key: 'x', error: expect.stringContaining('ended') }),
    )
  })
  await s3.send(new PutObjectCommand({ Bucket: 'told', Key: 'y', Body: 'still works' }))
  s3.destroy()
})

it('nothing a client sends starts a line of its own in the log', () => {
  const line = formatRequest({
    service: 'kafka',
    api: 'Fetch',
    apiVersion: 4,
    clientId: 'x\nkafka api="Produce"\u001b[2J',
    remoteAddress: '127.0.0.1:1',
    durationMillis: 1.25,
    requestBytes: 1,
    responseBytes: 0,
    error: 'cut\r\nhere',
  })
  expect(line).not.toMatch(/[\u0000-\u001f]/)
  expect(line).toContain('failure="cut\\r\\nhere"')
})
