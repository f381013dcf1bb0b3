import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test, vi } from 'vitest'
import { exposureWarning, reachable } from '../src/commands/local-settings.ts'
import { main } from '../src/index.ts'
import { capturedIO } from './captured-io.ts'

const packageDirectory = path.resolve(import.meta.dirname, '..')
const hasPython = spawnSync('python3', ['--version']).status === 0
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** What `stockpipe local` prints, with keys that need quoting in every language. */
const oddKeys = { accessKeyId: 'key "1"', secretAccessKey: `it's $HOME \\n "x" \`id\`` }
const printed = async (...options: string[]) => {
  const abort = new AbortController()
  const io = capturedIO({}, abort.signal)
  const { accessKeyId, secretAccessKey } = oddKeys
  const keys = ['--access-key', accessKeyId, '--secret-key', secretAccessKey]
  const running = main(['local', '--kafka-port', '0', '--http-port', '0', ...keys, ...options], io)
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
  const blocks = io.err().split('\n\n')
  const block = (start: string) => blocks.find((each) => each.startsWith(start))!
  return { block, err: io.err(), ready: JSON.parse(io.out()) }
}

/** Runs a program on a text; answers its standard output. */
const runs = async (command: string, args: string[], input: string) => {
  const env = { PATH: process.env['PATH'], HOME: '/nowhere' }
  const child = spawn(command, args, { cwd: packageDirectory, env })
  child.stdin.end(input)
  const [out, err, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  expect({ status, err }).toMatchObject({ status: 0 })
  return out
}

test('the printed settings are valid and hold the addresses and keys', async () => {
  const { block, ready } = await printed()
  const { brokers } = ready.kafka
  const { endpoint, region } = ready.aws
  const { accessKeyId, secretAccessKey } = oddKeys

  const names = ['KAFKA_BROKERS', 'AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_ACCESS_KEY_ID']
  const echo = [...names, 'AWS_SECRET_ACCESS_KEY'].map((name) => `printf '%s\\n' "$${name}"`).join('\n')
  expect((await runs('sh', ['-eu'], `${block('# Shell')}\n${echo}`)).split('\n')).toEqual([
    brokers.join(','),
    endpoint,
    region,
    region,
    accessKeyId,
    secretAccessKey,
    '',
  ])

  const script = `${block('// JavaScript')}
    const { endpoint, region, credentials } = s3.config
    const { protocol, hostname, port } = await endpoint()
    const admin = kafka.admin()
    await admin.connect()
    const cluster = await admin.describeCluster()
    await admin.disconnect()
    const { accessKeyId, secretAccessKey } = await credentials()
    console.log(JSON.stringify({
      endpoint: \`\${protocol}//\${hostname}:\${port}\`, region: await region(), accessKeyId, secretAccessKey,
      brokers: cluster.brokers.map((broker) => \`\${broker.host}:\${broker.port}\`),
    }))`
  const told = await runs(process.execPath, ['--input-type=module'], script)
  expect(JSON.parse(told)).toEqual({ endpoint, region, accessKeyId, secretAccessKey, brokers })
})

test.runIf(hasPython)('the printed Python holds them too', async () => {
  const { block, ready } = await printed()
  // The two libraries may not be there: stand-ins answer what they were called with.
  const script = `
import json, sys, types
calls = {}
boto3, confluent_kafka = types.ModuleType("boto3"), types.ModuleType("confluent_kafka")
boto3.client = lambda *names, **settings: calls.update(names=names, **settings)
confluent_kafka.Producer = lambda settings: calls.update(settings)
sys.modules.update({"boto3": boto3, "confluent_kafka": confluent_kafka})
${block('# Python')}
print(json.dumps(calls))`
  expect(JSON.parse(await runs('python3', ['-'], script))).toEqual({
    names: ['s3'],
    'bootstrap.servers': ready.kafka.brokers.join(','),
    endpoint_url: ready.aws.endpoint,
    region_name: ready.aws.region,
    aws_access_key_id: oddKeys.accessKeyId,
    aws_secret_access_key: oddKeys.secretAccessKey,
  })
})

test('an address that other machines reach is warned of, and the settings hold one to connect to', async () => {
  expect((await printed('--host', '127.0.0.1')).err).toMatch(/^Kafka listens on/)
  const open = { username: undefined, showsCertificate: false }
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) {
    expect(exposureWarning(host, open), host).toBeUndefined()
  }
  for (const host of ['0.0.0.0', '::', '192.168.1.2', 'localhost.example.com', '127.0.0.1.example.com']) {
    expect(exposureWarning(host, open), host).toContain(
      `Warning: other machines can reach ${host}; Kafka asks them for no password.`,
    )
    expect(exposureWarning(host, { ...open, username: 'dev' })).not.toContain('no password')
    expect(exposureWarning(host, open)).not.toContain('job')
    expect(exposureWarning(host, { ...open, runsJobs: true })).toContain('runs any program')
  }
  expect(reachable('0.0.0.0:9092')).toBe('127.0.0.1:9092')
  expect(reachable('http://[::]:9000')).toBe('http://127.0.0.1:9000')
  for (const address of ['http://10.0.0.0:9000', '127.0.0.1:9092', '[::1]:9092']) {
    expect(reachable(address)).toBe(address)
  }
})
