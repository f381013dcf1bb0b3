import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import type { KafkaBroker } from '../../src/kafka/kafka-broker.ts'
import type { RequestLogEntry } from '../../src/kafka/network/connection.ts'
import { connectedProducer, kafkajsClient, refusal, startTestBroker } from './broker-fixture.ts'
import { RawClient, requestFrame } from './raw-client.ts'

const users = [
  { name: 'dev', password: 'dev-secret' },
  { name: 'a=b,c', password: 'pässword' },
]
const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

const clientOf = (broker: KafkaBroker, mechanism: (typeof mechanisms)[number], user = users[0]!) =>
  new Kafka({
    brokers: broker.brokers,
    logLevel: logLevel.NOTHING,
    retry: { retries: 2, initialRetryTime: 50 },
    sasl: { mechanism, username: user.name, password: user.password } as SASLOptions,
  })

const rawHandshake = async (client: RawClient, mechanism: string, version = 1) => {
  await client.ask('apiVersions', 2, {})
  return client.ask('saslHandshake', version, { mechanism })
}

describe('a broker with users', () => {
  it.each(mechanisms)('lets kafkajs in by %s and serves it', async (mechanism) => {
    const broker = await startTestBroker({ users })
    for (const user of users) {
      const producer = await connectedProducer(clientOf(broker, mechanism, user))
      const [sent] = await producer.send({ topic: 'trades', messages: [{ value: 'a' }] })
      expect(sent?.errorCode).toBe(0)
    }
  })

  it.each(mechanisms)('refuses a wrong password and an unknown user by %s', async (mechanism) => {
    const broker = await startTestBroker({ users })
    for (const user of [
      { name: 'dev', password: 'wrong' },
      { name: 'nobody', password: 'dev-secret' },
    ]) {
      const error = await refusal(clientOf(broker, mechanism, user).producer().connect())
      expect(error).toMatchObject({ name: 'KafkaJSSASLAuthenticationError', retriable: false })
    }
  })

  it('closes the connection of a client that does not authenticate', async () => {
    const errors: string[] = []
    const onRequest = ({ error }: RequestLogEntry) => error && errors.push(error)
    const broker = await startTestBroker({ users, onRequest })
    await refusal(kafkajsClient(broker, 0).admin().listTopics())
    const client = await RawClient.connect(broker)
    client.write(requestFrame('listGroups', 2, {}))
    await client.closed()
    expect(errors.at(-1)).toMatch(/ListGroups came before the client was authenticated/)
  })

  it('answers error 58 to wrong credentials and then closes', async () => {
    const client = await RawClient.connect(await startTestBroker({ users }))
    await rawHandshake(client, 'PLAIN')
    const answer = await client.ask('saslAuthenticate', 1, { authBytes: Buffer.from('\0dev\0wrong') })
    expect(answer).toMatchObject({
      errorCode: 58,
      errorMessage: 'Authentication failed: Invalid username or password',
    })
    await client.closed()
  })

  it('answers error 33 with its mechanisms to an unknown one and then closes', async () => {
    const client = await RawClient.connect(await startTestBroker({ users }))
    const answer = await rawHandshake(client, 'GSSAPI')
    expect(answer).toEqual({ errorCode: 33, mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] })
    await client.closed()
  })

  it('takes messages without a request around them after a handshake v0, and keeps them out of the log', async () => {
    const entries: RequestLogEntry[] = []
    const broker = await startTestBroker({ users, onRequest: (entry) => entries.push(entry) })
    for (const password of ['dev-secret', 'wrong-secret']) {
      const client = await RawClient.connect(broker)
      await rawHandshake(client, 'PLAIN', 0)
      const message = Buffer.from(`\0dev\0${password}`)
      const length = Buffer.alloc(4)
      length.writeInt32BE(message.length)
      client.write(Buffer.concat([length, message]))
      if (password === 'wrong-secret') {
        await client.closed()
        continue
      }
      expect(await client.nextFrame()).toHaveLength(0)
      expect((await client.ask('listGroups', 2, {})).errorCode).toBe(0)
      // Authenticated once for all: a second time is refused, as by Apache Kafka.
      expect((await client.ask('saslHandshake', 1, { mechanism: 'PLAIN' })).errorCode).toBe(34)
    }
    expect(entries.length).toBeGreaterThan(6)
    expect(JSON.stringify(entries)).not.toMatch(/secret/)
  })

  it('refuses a SCRAM proof that was heard on another connection', async () => {
    const broker = await startTestBroker({ users })
    const client = await RawClient.connect(broker)
    await rawHandshake(client, 'SCRAM-SHA-256')
    const first = await client.ask('saslAuthenticate', 1, { authBytes: Buffer.from('n,,n=dev,r=heard') })
    expect(String(first.authBytes)).toMatch(/^r=heard[\w-]{32},s=[\w+/=]+,i=4096$/)
    const heard = `c=biws,r=heardelsewhere,p=${Buffer.alloc(32).toString('base64')}`
    const final = await client.ask('saslAuthenticate', 1, { authBytes: Buffer.from(heard) })
    expect(final.errorCode).toBe(58)
    await client.closed()
  })

  it('tells a client that authenticates on a listener without users so', async () => {
    const client = await RawClient.connect(await startTestBroker())
    expect(await rawHandshake(client, 'PLAIN')).toEqual({ errorCode: 34, mechanisms: [] })
  })

  it.each([
    [[]],
    [[{ name: '', password: 'hidden' }]],
    [[{ name: 'dev', password: '' }]],
    [[users[0]!, { name: 'dev', password: 'hidden' }]],
  ])('does not start with users that cannot be: %j', async (unfit) => {
    const error = await refusal(startTestBroker({ users: unfit }))
    expect(error.code).toBe('KAFKA_USERS_INVALID')
    expect(error.message).not.toMatch(/hidden|dev-secret/)
  })
})
