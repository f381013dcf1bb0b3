/** Where a local stack is, and the keys it takes. */
export interface LocalAddresses {
  readonly brokers: readonly string[]
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
  ].join('\n')
}

/** kafkajs and the AWS SDK for JavaScript. */
export const javascriptSettings = (at: LocalAddresses): string =>
  `// JavaScript: kafkajs, @aws-sdk/client-s3
import { S3Client } from '@aws-sdk/client-s3'
import { Kafka } from 'kafkajs'
const kafka = new Kafka({ brokers: [${at.brokers.map(quoted).join(', ')}] })
const s3 = new S3Client({
  endpoint: ${quoted(at.endpoint)},
  region: ${quoted(at.region)},
  credentials: { accessKeyId: ${quoted(at.accessKeyId)}, secretAccessKey: ${quoted(at.secretAccessKey)} },
  forcePathStyle: true,
})`

/** boto3 and confluent-kafka. */
export const pythonSettings = (at: LocalAddresses): string =>
  `# Python: boto3, confluent-kafka
import boto3
from confluent_kafka import Producer
producer = Producer({"bootstrap.servers": ${quoted(at.brokers.join(','))}})
s3 = boto3.client(
    "s3",
    endpoint_url=${quoted(at.endpoint)},
    region_name=${quoted(at.region)},
    aws_access_key_id=${quoted(at.accessKeyId)},
    aws_secret_access_key=${quoted(at.secretAccessKey)},
)`

const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/i

/** What to say of an address that not only this machine can reach. */
export const exposureWarning = (host: string): string | undefined =>
  loopback.test(host)
    ? undefined
    : `Warning: other machines can reach ${host}; Kafka asks them for no password. Leave out --host to keep them out.`

/** An address to connect to, for one that may be "all addresses of this machine". */
export const reachable = (address: string): string =>
  address.replace(/(^|\/\/)(?:0\.0\.0\.0|\[::\])(?=:\d+$)/, '$1127.0.0.1')
