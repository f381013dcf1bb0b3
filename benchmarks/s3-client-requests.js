// What one request costs in the AWS SDK before it reaches a socket: serializing, checksum, signing, middleware. A request
// handler answers at once; CPU milliseconds a request, best of several rounds. `node benchmarks/s3-client-requests.js`
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { install, root } from '../scripts/workspace.js'

await install('all')
const require = createRequire(join(root, 'benchmarks', 'package.json'))
const {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} = require('@aws-sdk/client-s3')

const rounds = 5
const requestsPerRound = 200
const answers = {
  POST: '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>',
}

/** Answers every request with success, and reads nothing of it. */
const requestHandler = {
  handle: async ({ method }) => ({
    response: {
      statusCode: 200,
      headers: { etag: '"part"', 'content-type': 'application/xml' },
      body: Readable.from(answers[method] ? [Buffer.from(answers[method])] : []),
    },
  }),
  destroy: () => {},
  updateHttpClientConfig: () => {},
  httpHandlerConfigs: () => ({}),
}
const clientOf = (settings) =>
  new S3Client({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    forcePathStyle: true,
    requestHandler,
    ...settings,
  })

const cpuMillis = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const measure = async (client, command) => {
  for (let request = 0; request < requestsPerRound; request += 1) await client.send(command())
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round += 1) {
    const begun = cpuMillis()
    for (let request = 0; request < requestsPerRound; request += 1) await client.send(command())
    best = Math.min(best, (cpuMillis() - begun) / requestsPerRound)
  }
  return best
}

const key = { Bucket: 'lake', Key: 'trades/event_hour=2026-03-02-14/ticker=AAPL/part-0.parquet' }
const part = { ...key, UploadId: 'u', PartNumber: 1 }
const body = (bytes) => Buffer.alloc(bytes, 'stockpipe')
const parts = { Parts: [{ PartNumber: 1, ETag: '"part"' }] }
const commands = {
  'PutObject of 1 kB': () => new PutObjectCommand({ ...key, Body: body(1000) }),
  'UploadPart of 100 kB': () => new UploadPartCommand({ ...part, Body: hundred }),
  'UploadPart of 1 MB': () => new UploadPartCommand({ ...part, Body: million }),
  CreateMultipartUpload: () => new CreateMultipartUploadCommand(key),
  CompleteMultipartUpload: () =>
    new CompleteMultipartUploadCommand({ ...key, UploadId: 'u', MultipartUpload: parts }),
}
const hundred = body(100_000)
const million = body(1_000_000)
const clients = {
  'default (CRC32)': clientOf({}),
  'checksum only where required': clientOf({ requestChecksumCalculation: 'WHEN_REQUIRED' }),
}
for (const [what, command] of Object.entries(commands)) {
  const figures = []
  for (const [name, client] of Object.entries(clients)) {
    figures.push(`${(await measure(client, command)).toFixed(2)} ms ${name}`)
  }
  console.log(`figure: ${what}: ${figures.join(', ')}`)
}
