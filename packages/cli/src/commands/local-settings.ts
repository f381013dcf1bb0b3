/** What Kafka asks of a client. A password is never printed: clients take it from KAFKA_PASSWORD. */
export interface KafkaClientSecurity {
  /** Who may use Kafka; undefined where it asks for no SASL. */
  readonly username: string | undefined
  /** The certificate of the broker, where it speaks TLS. */
  readonly caPath: string | undefined
  /** The client shows a certificate of its own. */
  readonly showsCertificate: boolean
}

/** Where a local stack is, and the keys it takes. */
export interface LocalAddresses {
  readonly brokers: readonly string[]
  readonly kafkaSecurity: KafkaClientSecurity
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const shellWord = (word: string): string =>
  /^[\w./:,@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`

/** A string of JavaScript and of Python. */
const quoted = (text: string): string => JSON.stringify(text).replaceAll('\u007f', '\\u007f')

/** Variables the AWS CLI, the SDKs, boto3 and `stockpipe query` read. */
export const shellSettings = (at: LocalAddresses): string => {
  const settings = {
    KAFKA_BROKERS: at.brokers.join(','),
    AWS_ENDPOINT_URL: at.endpoint,
    AWS_REGION: at.region,
    AWS_DEFAULT_REGION: at.region,
    AWS_ACCESS_KEY_ID: at.accessKeyId,
    AWS_SECRET_ACCESS_KEY: at.secretAccessKey,
  }
  return [
    '# Shell; then for example: aws s3 mb s3://lake',
    ...Object.entries(settings).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    ...(at.kafkaSecurity.username === undefined
      ? []
      : [`# and in KAFKA_PASSWORD the password of ${quoted(at.kafkaSecurity.username)}`]),
  ].join('\n')
}

/** Files of the client's own, wherever they are. */
const clientCertificate = { key: 'client.key.pem', cert: 'client.cert.pem' }

/** A name and an expression, a line each. */
const lines = (settings: Readonly<Record<string, string | undefined>>, indent: string): string =>
  Object.entries(settings)
    .filter(([, expression]) => expression !== undefined)
    .map(([name, expression]) => `${indent}${name}: ${expression},\n`)
    .join('')

/** kafkajs and the AWS SDK for JavaScript. */
export const javascriptSettings = (at: LocalAddresses): string => {
  const { username, caPath, showsCertificate } = at.kafkaSecurity
  const files = { ca: caPath ?? '', ...(showsCertificate && clientCertificate) }
  const read = Object.entries(files).map(([name, file]) => `${name}: readFileSync(${quoted(file)}, 'utf8')`)
  const sasl = `{ mechanism: 'scram-sha-512', username: ${quoted(username ?? '')}, password: process.env.KAFKA_PASSWORD }`
  const kafka = {
    brokers: `[${at.brokers.map(quoted).join(', ')}]`,
    ssl: caPath === undefined ? undefined : `{ ${read.join(', ')} }`,
    sasl: username === undefined ? undefined : sasl,
  }
  return `// JavaScript: kafkajs, @aws-sdk/client-s3
${caPath === undefined ? '' : "import { readFileSync } from 'node:fs'\n"}import { S3Client } from '@aws-sdk/client-s3'
import { Kafka } from 'kafkajs'
const kafka = new Kafka({
${lines(kafka, '  ')}})
const s3 = new S3Client({
  endpoint: ${quoted(at.endpoint)},
  region: ${quoted(at.region)},
  credentials: { accessKeyId: ${quoted(at.accessKeyId)}, secretAccessKey: ${quoted(at.secretAccessKey)} },
  forcePathStyle: true,
})`
}

/** boto3 and confluent-kafka. */
export const pythonSettings = (at: LocalAddresses): string => {
  const { username, caPath, showsCertificate } = at.kafkaSecurity
  const transport = caPath === undefined ? 'PLAINTEXT' : 'SSL'
  const protocol = username === undefined ? transport : `SASL_${transport}`
  const kafka = {
    '"bootstrap.servers"': quoted(at.brokers.join(',')),
    ...(protocol !== 'PLAINTEXT' && { '"security.protocol"': quoted(protocol) }),
    ...(caPath !== undefined && { '"ssl.ca.location"': quoted(caPath) }),
    ...(showsCertificate && {
      '"ssl.key.location"': quoted(clientCertificate.key),
      '"ssl.certificate.location"': quoted(clientCertificate.cert),
    }),
    ...(username !== undefined && {
      '"sasl.mechanism"': quoted('SCRAM-SHA-512'),
      '"sasl.username"': quoted(username),
      '"sasl.password"': 'os.environ["KAFKA_PASSWORD"]',
    }),
  }
  return `# Python: boto3, confluent-kafka
${username === undefined ? '' : 'import os\n'}import boto3
from confluent_kafka import Producer
producer = Producer({
${lines(kafka, '    ')}})
s3 = boto3.client(
    "s3",
    endpoint_url=${quoted(at.endpoint)},
    region_name=${quoted(at.region)},
    aws_access_key_id=${quoted(at.accessKeyId)},
    aws_secret_access_key=${quoted(at.secretAccessKey)},
)`
}

const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/i

/** What to say of an address that not only this machine can reach. */
export const exposureWarning = (
  host: string,
  {
    username,
    showsCertificate,
    runsJobs = false,
  }: Pick<KafkaClientSecurity, 'username' | 'showsCertificate'> & { readonly runsJobs?: boolean },
): string | undefined => {
  if (loopback.test(host)) return undefined
  const isOpen = username === undefined && !showsCertificate
  const open = isOpen ? '; Kafka asks them for no password' : ''
  const jobs = runsJobs ? '; a Glue job of whoever has the keys runs any program here' : ''
  return `Warning: other machines can reach ${host}${open}${jobs}. Leave out --host to keep them out.`
}

/** An address to connect to, for one that may be "all addresses of this machine". */
export const reachable = (address: string): string =>
  address.replace(/(^|\/\/)(?:0\.0\.0\.0|\[::\])(?=:\d+$)/, '$1127.0.0.1')
