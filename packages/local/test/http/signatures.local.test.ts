import { Agent } from 'node:http'
import { AthenaClient, ListWorkGroupsCommand } from '@aws-sdk/client-athena'
import { GetDatabasesCommand, GlueClient } from '@aws-sdk/client-glue'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { beforeAll, describe, expect, it } from 'vitest'
import { chunkStringToSign, sha256Hex, signText } from '../../src/http/signature-v4.ts'
import { s3ClientFor } from '../stack/s3-client.ts'
import { stackOfFile } from '../stack/stack-of-file.ts'
import { send, sendSigned, sign } from './raw-request.ts'

const Bucket = 'signed'
const { stack, s3 } = await stackOfFile(Bucket)

beforeAll(async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'a b/c', Body: 'hello' }))
})

const codeOf = (body: string) => /<Code>(.*?)<\/Code>/.exec(body)?.[1]
const credentials = (change: object) => ({
  credentials: { accessKeyId: 'stockpipe', secretAccessKey: 'stockpipe-secret', ...change },
})

describe('signatures of S3 requests', () => {
  it('by an unknown key are refused', async () => {
    const wrongKey = s3ClientFor(stack, credentials({ accessKeyId: 'nobody' }))
    await expect(wrongKey.send(new GetObjectCommand({ Bucket, Key: 'a b/c' }))).rejects.toMatchObject({
      name: 'InvalidAccessKeyId',
      $metadata: { httpStatusCode: 403 },
    })
  })

  it('that are missing, malformed, or leave headers out are refused', async () => {
    const target = { method: 'GET', target: `/${Bucket}/a%20b/c`, headers: {} }
    expect(await send(stack, target)).toMatchObject({
      statusCode: 403,
      body: expect.stringContaining('AccessDenied'),
    })
    for (const [authorization, code] of [
      ['Basic abc', 'InvalidRequest'],
      ['AWS4-HMAC-SHA256 nonsense', 'AuthorizationHeaderMalformed'],
      ['AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0', 'AccessDenied'],
    ]) {
      const answer = await send(stack, { ...target, headers: { authorization: authorization! } })
      expect(codeOf(answer.body), authorization).toBe(code)
    }
    const unsigned = await sendSigned(stack, {
      path: `/${Bucket}/a%20b/c`,
      unsigned: { 'x-amz-meta-a': 'b' },
    })
    expect(unsigned.body).toContain('<HeadersNotSigned>x-amz-meta-a</HeadersNotSigned>')
  })

  it('in presigned URLs put nothing into the answer that no header can hold', async () => {
    const broken = await getSignedUrl(
      s3,
      new GetObjectCommand({ Bucket, Key: 'a b/c', ResponseContentType: 'a\r\nset-cookie: b' }),
    )
    expect((await fetch(broken)).status).toBe(400)
  })

  it('hold for virtual-host style requests', async () => {
    const port = new URL(stack.aws.endpoint).port
    const lookup = (_name: string, options: { all?: boolean }, done: (...answer: unknown[]) => void) =>
      options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
    const client = s3ClientFor(stack, {
      endpoint: `http://localhost:${port}`,
      forcePathStyle: false,
      requestHandler: { httpAgent: new Agent({ lookup: lookup as never }) },
    })
    await client.send(new PutObjectCommand({ Bucket, Key: 'virtual/host', Body: 'styled' }))
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'virtual/host' }))
    expect(await got.Body!.transformToString()).toBe('styled')
    client.destroy()
  })
})

describe('signed chunks', () => {
  /** A body in two chunks and its end, signed one over the other; `spoil` changes what is sent after signing. */
  const stream = (options: { trailer?: string; spoil?: (body: string) => string } = {}) => {
    const chunks = ['a'.repeat(9_000), 'b'.repeat(100), '']
    const decoded = chunks.join('')
    const kind = options.trailer === undefined ? '' : '-TRAILER'
    const head = sign(stack, {
      method: 'PUT',
      path: `/${Bucket}/chunked`,
      payloadHash: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${kind}`,
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': String(decoded.length),
        ...(options.trailer === undefined ? {} : { 'x-amz-trailer': options.trailer.split(':')[0]! }),
      },
    })
    const { key, scope, timestamp } = head
    let previous = head.signature
    let body = ''
    for (const chunk of chunks) {
      previous = signText(key, chunkStringToSign('PAYLOAD', timestamp, scope, previous, sha256Hex(chunk)))
      body += `${chunk.length.toString(16)};chunk-signature=${previous}\r\n${chunk}${chunk === '' ? '' : '\r\n'}`
    }
    if (options.trailer !== undefined) {
      const hash = sha256Hex(`${options.trailer}\n`)
      const signature = signText(key, chunkStringToSign('TRAILER', timestamp, scope, previous, hash))
      body += `${options.trailer}\r\nx-amz-trailer-signature:${signature}\r\n`
    }
    body = (options.spoil ?? ((text: string) => text))(`${body}\r\n`)
    return send(stack, { ...head, body, headers: { ...head.headers, 'content-length': String(body.length) } })
  }

  it('are decoded and verified', async () => {
    expect((await stream()).statusCode).toBe(200)
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'chunked' }))
    expect(got.ContentEncoding).toBeUndefined()
    expect(await got.Body!.transformToString()).toBe('a'.repeat(9_000) + 'b'.repeat(100))
  })

  it('with a signed trailer carry their checksum', async () => {
    const checksum = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'same',
        Body: 'a'.repeat(9_000) + 'b'.repeat(100),
        ChecksumAlgorithm: 'CRC32',
      }),
    )
    const trailer = `x-amz-checksum-crc32:${checksum.ChecksumCRC32}`
    expect((await stream({ trailer })).statusCode).toBe(200)
    const wrong = await stream({ trailer: 'x-amz-checksum-crc32:AAAAAA==' })
    expect(codeOf(wrong.body)).toBe('BadDigest')
    const spoiled = await stream({
      trailer,
      spoil: (body) =>
        body
          .replace('crc32:', 'crc32: ')
          .replace(/signature:./, (at) => (at.endsWith('0') ? 'signature:1' : 'signature:0')),
    })
    expect(codeOf(spoiled.body)).toBe('SignatureDoesNotMatch')
  })

  it('that were changed, cut off or left out are refused, and nothing is written', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'chunked', Body: 'before' }))
    const end = /0;chunk-signature=.*$/s
    for (const [spoil, code] of [
      [(body: string) => body.replace('aaaa', 'aaab'), 'SignatureDoesNotMatch'],
      [(body: string) => body.replace(/chunk-signature=./, 'chunk-signature=g'), 'IncompleteBody'],
      [(body: string) => body.replace(/;chunk-signature=[0-9a-f]+/, ''), 'SignatureDoesNotMatch'],
      [(body: string) => body.replace(end, ''), 'IncompleteBody'],
      [(body: string) => body.slice(0, 5_000), 'IncompleteBody'],
      [(body: string) => body.replace(/\r\n64;/, '\r\n65;'), 'SignatureDoesNotMatch'],
    ] as const) {
      expect(codeOf((await stream({ spoil })).body), String(spoil)).toBe(code)
    }
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'chunked' }))
    expect(await got.Body!.transformToString()).toBe('before')
  })
})

describe('signatures of Glue and Athena requests', () => {
  it('choose the service, and are refused with the names of their protocol', async () => {
    const config = { endpoint: stack.aws.endpoint, region: 'us-east-1', maxAttempts: 1 }
    const good = { ...config, ...credentials({}) }
    expect((await new GlueClient(good).send(new GetDatabasesCommand({}))).DatabaseList).toBeDefined()
    expect((await new AthenaClient(good).send(new ListWorkGroupsCommand({}))).WorkGroups).toBeDefined()
    const wrongKey = { ...config, ...credentials({ accessKeyId: 'nobody' }) }
    const wrongSecret = { ...config, ...credentials({ secretAccessKey: 'guess' }) }
    for (const [settings, name] of [
      [wrongKey, 'UnrecognizedClientException'],
      [wrongSecret, 'InvalidSignatureException'],
    ] as const) {
      await expect(new GlueClient(settings).send(new GetDatabasesCommand({}))).rejects.toMatchObject({ name })
      await expect(new AthenaClient(settings).send(new ListWorkGroupsCommand({}))).rejects.toMatchObject({
        name,
      })
    }
  })

  it('answer skew, a missing signature, and what the service has not', async () => {
    const call = (more: object, target = 'AWSGlue.GetDatabases') =>
      sendSigned(stack, {
        method: 'POST',
        service: 'glue',
        body: '{}',
        headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' },
        ...more,
      })
    const good = await call({})
    expect(good.statusCode).toBe(200)
    expect(good.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    const skewed = await call({ at: new Date(Date.now() - 16 * 60_000) })
    expect(JSON.parse(skewed.body)).toMatchObject({
      __type: 'InvalidSignatureException',
      Message: expect.stringContaining('Signature expired'),
    })
    const anonymous = await send(stack, {
      method: 'POST',
      target: '/',
      headers: { 'x-amz-target': 'AWSGlue.GetDatabases', 'content-length': '2' },
      body: '{}',
    })
    expect(JSON.parse(anonymous.body).__type).toBe('MissingAuthenticationTokenException')
    expect(JSON.parse((await call({ body: '[]' })).body).__type).toBe('SerializationException')
    expect(JSON.parse((await call({ body: '{' })).body).__type).toBe('SerializationException')
    expect(JSON.parse((await call({}, 'AmazonAthena.ListWorkGroups')).body).__type).toBe(
      'UnknownOperationException',
    )
    const unknown = await call({ service: 'dynamodb' }, 'DynamoDB_20120810.ListTables')
    expect(unknown.statusCode).toBe(501)
    expect(JSON.parse(unknown.body)).toMatchObject({
      __type: 'UnknownService',
      Message: expect.stringMatching(/"dynamodb".*s3, glue, athena/),
    })
    expect(codeOf((await sendSigned(stack, { service: 'sqs' })).body)).toBe('UnknownService')
  })

  it('over 16 MiB of JSON are refused, and the connection still answers', async () => {
    const body = Buffer.alloc(17 * 1024 * 1024, 32)
    const answer = await sendSigned(stack, {
      method: 'POST',
      service: 'glue',
      body,
      headers: { 'x-amz-target': 'AWSGlue.GetDatabases' },
    })
    expect(answer.statusCode).toBe(413)
    expect(JSON.parse(answer.body).__type).toBe('RequestEntityTooLargeException')
  })
})
