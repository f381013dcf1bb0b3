import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import type { KafkaBroker } from '../../src/kafka/kafka-broker.ts'
import type { RequestLogEntry } from '../../src/kafka/network/connection.ts'
import { startLocalStack } from '../../src/local-stack.ts'
import {
  afterTest,
  connectedAdmin,
  connectedProducer,
  refusal,
  startTestBroker,
  until,
} from './broker-fixture.ts'
import { RawClient, requestFrame } from './raw-client.ts'

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8')
const key = fixture('localhost.key.pem')
const cert = fixture('localhost.cert.pem')

const clientOf = (
  { brokers }: Pick<KafkaBroker, 'brokers'>,
  ssl: ConnectionOptions | boolean,
  config: Partial<KafkaConfig> = {},
) =>
  new Kafka({
    brokers,
    ssl,
    logLevel: logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 50 },
    ...config,
  })

describe('a broker with TLS', () => {
  it('serves a client that trusts its certificate, under the name the client connected to', async () => {
    const broker = await startTestBroker({ tls: { key, cert } })
    expect(broker.brokers).toEqual([`localhost:${broker.port}`])
    const client = clientOf(broker, { ca: cert })
    const producer = await connectedProducer(client)
    const [sent] = await producer.send({ topic: 'trades', messages: [{ value: 'a'.repeat(500_000) }] })
    expect(sent?.errorCode).toBe(0)
    const { brokers } = await (await connectedAdmin(client)).describeCluster()
    expect(brokers).toEqual([{ nodeId: 1, host: 'localhost', port: broker.port }])
  })

  it('is refused by a client that does not know who signed', async () => {
    const broker = await startTestBroker({ tls: { key, cert } })
    const error = await refusal(clientOf(broker, true).producer().connect())
    expect(error).toMatchObject({ name: 'KafkaJSNumberOfRetriesExceeded' })
    expect(error.message).toMatch(/self-signed certificate/)
  })

  it('closes the connection of a client that speaks plaintext, and its log says why', async () => {
    const entries: RequestLogEntry[] = []
    const onRequest = (entry: RequestLogEntry) => {
      entries.push(entry)
      throw new Error('a log that fails')
    }
    const broker = await startTestBroker({ tls: { key, cert }, onRequest })
    const client = await RawClient.connect(broker)
    client.write(requestFrame('apiVersions', 2, {}))
    await client.closed()
    await until('a line of the log', () => entries.length > 0)
    expect(entries).toMatchObject([
      {
        api: 'TlsHandshake',
        remoteAddress: expect.stringMatching(/^127\.0\.0\.1:[1-9]/),
        error: expect.stringMatching(/SSL|wrong version|http request/),
      },
    ])
  })

  it('lets in only clients with a certificate when it asks for one', async () => {
    const broker = await startTestBroker({ tls: { key, cert, ca: cert, requestClientCertificate: true } })
    const producer = await connectedProducer(clientOf(broker, { ca: cert, key, cert }))
    const [sent] = await producer.send({ topic: 'trades', messages: [{ value: 'a' }] })
    expect(sent?.errorCode).toBe(0)
    const error = await refusal(clientOf(broker, { ca: cert }).producer().connect())
    expect(error.message).toMatch(/certificate required|bad certificate|Closed connection/)
  })

  it('takes users over TLS in the local stack', async () => {
    const kafkaUsers = [{ name: 'dev', password: 'dev-secret' }]
    const stack = await startLocalStack({ kafkaPort: 0, httpPort: 0, kafkaUsers, kafkaTls: { key, cert } })
    afterTest(() => stack.close())
    const sasl = { mechanism: 'scram-sha-512', username: 'dev', password: 'dev-secret' } as const
    const admin = await connectedAdmin(clientOf(stack.kafka, { ca: cert }, { sasl }))
    expect(await admin.listTopics()).toEqual([])
  })

  it('closes also with a client that never finishes its handshake', async () => {
    const broker = await startTestBroker({ tls: { key, cert } })
    const socket = connect(broker.port, broker.host)
    afterTest(() => socket.destroy())
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    const closed = once(socket, 'close')
    await broker.close()
    await closed
  })

  it.each([[{ key: 'hidden', cert }], [{ key: '', cert }], [{ key, cert, requestClientCertificate: true }]])(
    'does not start with settings that cannot be used: %#',
    async (tls) => {
      const error = await refusal(startTestBroker({ tls }))
      expect(error.code).toBe('KAFKA_TLS_INVALID')
      expect(error.message).not.toMatch(/hidden|PRIVATE/)
    },
  )
})
