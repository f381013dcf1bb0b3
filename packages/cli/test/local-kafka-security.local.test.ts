import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { afterEach, expect, test, vi } from 'vitest'
import { main } from '../src/index.ts'
import { capturedIO } from './captured-io.ts'

const fixture = (name: string) =>
  path.resolve(import.meta.dirname, `../../local/test/kafka/fixtures/localhost.${name}.pem`)
const [cert, key] = [fixture('cert'), fixture('key')]
const tls = ['--kafka-tls-cert', cert, '--kafka-tls-key', key]

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const startLocal = async (...options: string[]) => {
  const abort = new AbortController()
  const io = capturedIO({}, abort.signal)
  const running = main(['local', '--kafka-port', '0', '--http-port', '0', ...options], io)
  ends.push(() => {
    abort.abort()
    return running
  })
  const ready = vi.waitFor(() => expect(io.out()).toContain('\n'), { timeout: 20_000 })
  const ended = running.then((status) => {
    throw new Error(`ended with ${status}: ${io.err()}`)
  })
  ended.catch(() => undefined)
  await Promise.race([ready, ended])
  const { brokers } = JSON.parse(io.out()).kafka as { brokers: string[] }
  return { io, brokers }
}

const refused = async (...options: string[]) => {
  const io = capturedIO({}, new AbortController().signal)
  const status = await main(['local', '--kafka-port', '0', '--http-port', '0', ...options], io)
  expect(io.out()).toBe('')
  return { status, err: io.err() }
}

/** What the printed JavaScript gives to kafkajs. */
const printedConfig = (err: string, environment: Record<string, string>) => {
  const [, config] = /new Kafka\((\{[\s\S]*?\n\})\)/.exec(err)!
  const readFileSync = (file: string) => `contents of ${file}`
  return new Function('readFileSync', 'process', `return ${config}`)(readFileSync, { env: environment })
}

test('users and TLS of Kafka are those of the options, and no password is printed', async () => {
  const users = ['--kafka-user', 'dev=dev-secret', '--kafka-user', 'ops=a=b:c']
  const { io, brokers } = await startLocal(...users, ...tls, '--log-level', 'debug')
  const printed = printedConfig(io.err(), { KAFKA_PASSWORD: 'dev-secret' })
  expect(printed).toEqual({
    brokers,
    ssl: { ca: `contents of ${cert}` },
    sasl: { mechanism: 'scram-sha-512', username: 'dev', password: 'dev-secret' },
  })
  const ca = await readFile(cert, 'utf8')
  const topicsFor = async (sasl: object) => {
    const kafka = new Kafka({
      ...printed,
      ssl: { ca },
      // kafkajs keeps things of its own in it.
      sasl: { ...sasl } as SASLOptions,
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    })
    const admin = kafka.admin()
    try {
      await admin.connect()
      return await admin.listTopics()
    } finally {
      await admin.disconnect()
    }
  }
  expect(await topicsFor(printed.sasl)).toEqual([])
  expect(await topicsFor({ mechanism: 'plain', username: 'ops', password: 'a=b:c' })).toEqual([])
  await expect(topicsFor({ ...printed.sasl, password: 'wrong-secret' })).rejects.toMatchObject({
    name: 'KafkaJSSASLAuthenticationError',
  })
  expect(io.err()).toContain('"security.protocol": "SASL_SSL"')
  expect(io.err()).toContain('# and in KAFKA_PASSWORD the password of "dev"')
  expect(io.err()).toContain('api=SaslAuthenticate')
  expect(io.err() + io.out()).not.toMatch(/dev-secret|a=b:c|wrong-secret|PRIVATE/)
})

test('a client authority asks clients for a certificate, which the settings leave a place for', async () => {
  const { io } = await startLocal(...tls, '--kafka-tls-client-ca', cert)
  expect(printedConfig(io.err(), {})).toMatchObject({
    ssl: {
      ca: `contents of ${cert}`,
      key: 'contents of client.key.pem',
      cert: 'contents of client.cert.pem',
    },
  })
  expect(io.err()).toContain('"ssl.certificate.location": "client.cert.pem"')
  expect(io.err()).not.toMatch(/sasl[:.]|SASL/)
})

test.each([
  [['--kafka-user', 'hidden'], /--kafka-user takes NAME=PASSWORD\./],
  [['--kafka-user', '=hidden'], /--kafka-user takes NAME=PASSWORD\./],
  [['--kafka-user', 'dev='], /--kafka-user takes NAME=PASSWORD\./],
  [['--kafka-user', 'a=b', 'c=hidden'], /it takes no argument such as 'c=…'/],
  [['--kafka-tls-cert', cert], /--kafka-tls-cert and --kafka-tls-key go together/],
  [['--kafka-tls-client-ca', cert], /--kafka-tls-client-ca goes with/],
  [[...tls, '--kafka-tls-client-ca', 'nowhere.pem'], /'nowhere\.pem' cannot be read \(ENOENT\)/],
])('%j is refused with a sentence', async (options, sentence) => {
  const { status, err } = await refused(...options)
  expect(status).toBe(2)
  expect(err).toMatch(sentence)
  expect(err).not.toContain('hidden')
})

test('users and keys that cannot be taken are refused without a word of them', async () => {
  const twice = await refused('--kafka-user', 'dev=hidden', '--kafka-user', 'dev=hidden')
  expect(twice).toMatchObject({ status: 1, err: expect.stringContaining('two users have the same name') })
  const swapped = await refused('--kafka-tls-cert', key, '--kafka-tls-key', cert)
  expect(swapped.status).toBe(1)
  expect(twice.err + swapped.err).not.toMatch(/hidden|PRIVATE/)
})
