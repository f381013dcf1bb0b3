import { createHash, createHmac } from 'node:crypto'
import { connect } from 'node:net'
import { within } from '../stack/stack-process.js'
import { escapingNames, mutateBytes, mutateJson } from './mutation.js'

const answerBoundMillis = 60_000
/** Answers of a request that was refused before any service saw it. */
const refusals =
  /InvalidURI|Please use AWS4-HMAC|Missing required header|SignatureDoesNotMatch|IncompleteSignature|InvalidSignature|AuthorizationHeaderMalformed|AuthorizationQueryParameters|MissingAuthenticationToken|InvalidAccessKeyId|UnrecognizedClient|RequestTimeTooSkewed|AccessDenied|XAmzContentSHA256Mismatch/

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
const hmac = (key, text) => createHmac('sha256', key).update(text).digest()
const encodeUri = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
const encodePath = (path) => path.split('/').map(encodeUri).join('/')

/** The path as it is signed; one that is no percent-encoded UTF-8 cannot be signed and is signed as it stands. */
const canonicalPath = (path, service) => {
  if (service !== 's3') return encodePath(path)
  try {
    return encodePath(decodeURIComponent(path))
  } catch {
    return path
  }
}

const sign = (request, { aws }) => {
  const { method, path, query, headers, body, service } = request
  const timestamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = `${timestamp.slice(0, 8)}/${aws.region}/${service}/aws4_request`
  const all = {
    ...headers,
    host: new URL(aws.endpoint).host,
    'x-amz-date': timestamp,
    'x-amz-content-sha256': sha256(body),
  }
  const names = Object.keys(all).sort()
  const canonical = [
    method,
    canonicalPath(path, service),
    query
      .map(([name, value]) => `${encodeUri(name)}=${encodeUri(value)}`)
      .sort()
      .join('&'),
    ...names.map((name) => `${name}:${all[name].trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n')
  const key = ['aws4_request'].reduce(
    hmac,
    [aws.region, service].reduce(hmac, hmac(`AWS4${aws.secretAccessKey}`, timestamp.slice(0, 8))),
  )
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256(canonical)}`).toString(
    'hex',
  )
  return {
    ...all,
    authorization: `AWS4-HMAC-SHA256 Credential=${aws.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  }
}

const requestBytes = ({ method, path, query, body }, headers) => {
  const search = query.map(([name, value]) => `${encodeUri(name)}=${encodeUri(value)}`).join('&')
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `${method} ${path}${search && `?${search}`} HTTP/1.1\r\n${lines.join('')}content-length: ${body.length}\r\nconnection: close\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

const s3Key = (random) => {
  if (random.chance(0.6)) return `k${random.below(40)}`
  const name = random.pick(escapingNames)
  const kind = random.below(4)
  if (kind === 0) return encodePath(name)
  if (kind === 1) return encodeUri(name).replaceAll('.', '%2e')
  if (kind === 2)
    return mutateBytes(random, encodeUri(name || 'x'))
      .toString('latin1')
      .replace(/[^!-~]|[?#]/g, '%00')
  return name.replace(/[^!-~]|[?#]/gu, (character) => encodeURIComponent(character))
}

const queryNames = [
  'list-type',
  'prefix',
  'delimiter',
  'max-keys',
  'uploads',
  'uploadId',
  'partNumber',
  'encoding-type',
  'continuation-token',
  'delete',
  'tagging',
  'versioning',
  'location',
  'start-after',
  'acl',
]
const headerNames = [
  'range',
  'if-match',
  'if-none-match',
  'content-md5',
  'x-amz-meta-note',
  'x-amz-checksum-crc32',
  'x-amz-copy-source',
  'content-type',
  'x-amz-metadata-directive',
  'if-modified-since',
  'x-amz-sdk-checksum-algorithm',
  'content-encoding',
]
const values = [
  '',
  '0',
  '1',
  '2',
  '-1',
  '99999999999',
  '*',
  'bytes=0-3',
  'bytes=9-',
  '/',
  '../',
  '/fuzz/k1',
  '/fuzz/../../escaped',
  'url',
  'COPY',
  '"x"',
  'text/plain',
  'CRC32',
  'AAAAAA==',
  '\u0001'.trim(),
]
const xmlBodies = [
  '<CompleteMultipartUpload><Part><ETag>"x"</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>',
  '<Delete><Object><Key>k1</Key></Object><Object><Key>../escaped</Key></Object></Delete>',
  '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><Delete><Object><Key>&b;</Key></Object></Delete>',
]

const s3Request = (random) => {
  const some = (names, most) =>
    Array.from({ length: random.below(most + 1) }, () => [random.pick(names), random.pick(values)])
  const bucket = random.chance(0.9) ? 'fuzz' : encodeUri(random.pick(escapingNames))
  const body = random.chance(0.3) ? Buffer.from(random.pick(xmlBodies)) : random.bytes(random.below(300))
  const method = random.pick(['PUT', 'PUT', 'GET', 'GET', 'HEAD', 'DELETE', 'POST'])
  return {
    service: 's3',
    method,
    path: `/${bucket}/${random.chance(0.15) ? '' : s3Key(random)}`,
    query: random.chance(0.5) ? some(queryNames, 3) : [],
    headers: random.chance(0.5) ? Object.fromEntries(some(headerNames, 2)) : {},
    body:
      method === 'GET' || method === 'HEAD'
        ? Buffer.alloc(0)
        : random.chance(0.4)
          ? mutateBytes(random, body)
          : body,
  }
}

const table = {
  Name: 'fuzz_table',
  TableType: 'EXTERNAL_TABLE',
  Parameters: { classification: 'parquet' },
  PartitionKeys: [{ Name: 'day', Type: 'string' }],
  StorageDescriptor: {
    Columns: [
      { Name: 'symbol', Type: 'string' },
      { Name: 'price', Type: 'decimal(18,4)' },
    ],
    Location: 's3://fuzz/t/',
    SerdeInfo: { SerializationLibrary: 'x' },
  },
}
const glueCalls = [
  ['CreateDatabase', { DatabaseInput: { Name: 'fuzz', LocationUri: 's3://fuzz/' } }],
  ['CreateTable', { DatabaseName: 'fuzz', TableInput: table }],
  ['UpdateTable', { DatabaseName: 'fuzz', TableInput: table }],
  ['GetTable', { DatabaseName: 'fuzz', Name: 'fuzz_table' }],
  ['GetTables', { DatabaseName: 'fuzz', MaxResults: 10, Expression: 'f.*' }],
  ['DeleteTable', { DatabaseName: 'fuzz', Name: 'fuzz_table' }],
  [
    'CreatePartition',
    {
      DatabaseName: 'fuzz',
      TableName: 'fuzz_table',
      PartitionInput: { Values: ['2026-01-01'], StorageDescriptor: table.StorageDescriptor },
    },
  ],
  [
    'GetPartitions',
    { DatabaseName: 'fuzz', TableName: 'fuzz_table', Expression: "day > '2025' AND day IN ('a', 'b')" },
  ],
  [
    'BatchCreatePartition',
    {
      DatabaseName: 'fuzz',
      TableName: 'fuzz_table',
      PartitionInputList: [{ Values: ['x'], StorageDescriptor: table.StorageDescriptor }],
    },
  ],
]
const athenaCalls = [
  ['ListWorkGroups', {}],
  ['GetWorkGroup', { WorkGroup: 'primary' }],
  ['GetQueryExecution', { QueryExecutionId: '00000000-0000-0000-0000-000000000000' }],
  ['GetQueryResults', { QueryExecutionId: '../../escaped', MaxResults: 10 }],
  ['ListQueryExecutions', { MaxResults: 5 }],
  ['StopQueryExecution', { QueryExecutionId: 'x' }],
]
const queries = [
  "SELECT 1 + 2, 'a' || 'b'",
  "SELECT count(*) FROM fuzz.fuzz_table WHERE day > 'x'",
  'SHOW TABLES IN fuzz',
  "SELECT * FROM '/etc/hostname'",
  "COPY (SELECT 1) TO '../escaped.csv'",
]

const jsonRequest = (random) => {
  const isGlue = random.chance(0.6)
  // A query runs in DuckDB and leaves its result: a few of them are enough.
  const isQuery = !isGlue && random.chance(0.05)
  const query = {
    QueryString: mutateBytes(random, Buffer.from(random.pick(queries))).toString(),
    ResultConfiguration: { OutputLocation: 's3://fuzz/results/' },
  }
  const [operation, input] = isQuery
    ? ['StartQueryExecution', query]
    : random.pick(isGlue ? glueCalls : athenaCalls)
  const json = Buffer.from(JSON.stringify(random.chance(0.7) ? mutateJson(random, input) : input))
  return {
    service: isGlue ? 'glue' : 'athena',
    method: 'POST',
    path: '/',
    query: [],
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `${isGlue ? 'AWSGlue' : 'AmazonAthena'}.${operation}`,
    },
    body: random.chance(0.2) ? mutateBytes(random, json) : json,
  }
}

/** True when a service answered a mutated request. Rejects when the port neither answers nor closes. */
export const sendHttp = async (stack, random, isSound) => {
  const request = random.chance(0.7) ? s3Request(random) : jsonRequest(random)
  const signed = requestBytes(request, sign(request, stack))
  const bytes = isSound ? signed : mutateBytes(random, signed)
  const { hostname, port } = new URL(stack.aws.endpoint)
  const socket = connect(Number(port), hostname)
  const answer = new Promise((resolve) => {
    const chunks = []
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('end', () => socket.destroy())
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  })
  socket.write(bytes)
  // What asks for more bytes than are sent never comes to its end by itself.
  const patience = isSound ? undefined : setTimeout(() => socket.end(), 100)
  try {
    const text = await within(
      answer,
      answerBoundMillis,
      `HTTP request ${JSON.stringify(bytes.toString('latin1'))}`,
    )
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0)
    return { isHandled: status !== 0 && !isRefused(text, status), isFailure: status === 500, bytes, text }
  } finally {
    clearTimeout(patience)
    socket.destroy()
  }
}

/** Refused by the signature, or by Node's parser, which answers 400 and nothing else. */
const isRefused = (text, status) =>
  status === 403 || refusals.test(text) || (status === 400 && !/x-amz(n)?-request-?id/i.test(text))
