import { Readable } from 'node:stream'
import { S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { createS3ObjectStore, createSink, type ObjectSettings, type SinkObjectStore } from '../src/index.ts'
import { MemoryObjectStore } from './sink/memory-object-store.ts'
import { lake, ticksTopic } from './sink/sink-fixture.ts'

interface SentRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string | null>>
  readonly headers: Readonly<Record<string, string>>
}

const answers: Readonly<Record<string, string>> = {
  uploads: '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>',
  complete: '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>',
  list: '<ListResult/>',
}

const capturing = (settings: ObjectSettings) => {
  const requests: SentRequest[] = []
  const client = new S3Client({
    region: 'us-east-1',
    endpoint: 'http://s3.test',
    forcePathStyle: true,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    requestHandler: {
      handle: async (request: SentRequest) => {
        requests.push(request)
        const { method, query } = request
        const kind =
          method === 'POST' && 'uploads' in query ? 'uploads' : method === 'POST' ? 'complete' : 'list'
        const body = method === 'PUT' || method === 'HEAD' ? '' : answers[kind]!
        return { response: { statusCode: 200, headers: { etag: '"e"' }, body: Readable.from([body]) } }
      },
    } as never,
  })
  return { client, requests, store: createS3ObjectStore({ client, bucket: 'lake', ...settings }) }
}

const first = (listing: AsyncIterable<unknown>) => listing[Symbol.asyncIterator]().next()

/** Every call of the contract once, by the command it sends. */
const everyCall: Readonly<Record<string, (store: SinkObjectStore) => Promise<unknown>>> = {
  PutObject: (store) => store.putIfAbsent('a', new Uint8Array(1)),
  CreateMultipartUpload: (store) => store.createUpload('a', { metadata: { start: '0' } }),
  UploadPart: (store) => store.uploadPart('a', 'u', 1, new Uint8Array(1)),
  CompleteMultipartUpload: (store) => store.completeUpload('a', 'u', [{ partNumber: 1, etag: '"e"' }]),
  AbortMultipartUpload: (store) => store.abortUpload('a', 'u'),
  ListParts: (store) => store.listParts('a', 'u'),
  ListMultipartUploads: (store) => first(store.listUploads('a')),
  GetObject: (store) => store.get('a'),
  HeadObject: (store) => store.head('a'),
  ListObjectsV2: (store) => first(store.list('a')),
  DeleteObject: (store) => store.delete('a'),
  GetBucketLifecycleConfiguration: (store) => store.lifecycleRules!(),
}

const headersBy = async (settings: ObjectSettings, header: string) => {
  const { store, requests } = capturing(settings)
  const found: Record<string, string> = {}
  for (const [name, call] of Object.entries(everyCall)) {
    await call(store)
    const value = requests.at(-1)!.headers[header]
    if (value !== undefined) found[name] = value
  }
  expect(requests).toHaveLength(Object.keys(everyCall).length)
  return found
}

const onWrites = (value: string) => ({ PutObject: value, CreateMultipartUpload: value })

describe('settings of objects on S3', () => {
  it('says on every call whose the bucket must be', async () => {
    const found = await headersBy({ expectedBucketOwner: '123456789012' }, 'x-amz-expected-bucket-owner')
    expect(found).toEqual(Object.fromEntries(Object.keys(everyCall).map((name) => [name, '123456789012'])))
  })

  it('encrypts journal and data files as told, with the key and a bucket key', async () => {
    const settings = {
      serverSideEncryption: 'aws:kms',
      kmsKeyId: 'alias/lake',
      bucketKeyEnabled: true,
    } as const
    expect(await headersBy(settings, 'x-amz-server-side-encryption')).toEqual(onWrites('aws:kms'))
    expect(await headersBy(settings, 'x-amz-server-side-encryption-aws-kms-key-id')).toEqual(
      onWrites('alias/lake'),
    )
    expect(await headersBy(settings, 'x-amz-server-side-encryption-bucket-key-enabled')).toEqual(
      onWrites('true'),
    )
    expect(await headersBy({ serverSideEncryption: 'AES256' }, 'x-amz-server-side-encryption')).toEqual(
      onWrites('AES256'),
    )
  })

  it('keeps the journal in the default class and moves data files only', async () => {
    expect(await headersBy({ storageClass: 'STANDARD_IA' }, 'x-amz-storage-class')).toEqual({
      CreateMultipartUpload: 'STANDARD_IA',
    })
  })

  it('writes a file put in one piece as a data file', async () => {
    const { store, requests } = capturing({ storageClass: 'STANDARD_IA', journalTags: { keep: 'yes' } })
    await store.putIfAbsent('a', new Uint8Array(1), { dataFile: true })
    expect(requests[0]!.headers).toMatchObject({ 'x-amz-storage-class': 'STANDARD_IA' })
    expect(requests[0]!.headers['x-amz-tagging']).toBeUndefined()
  })

  it('tags data files and journal objects apart, percent-encoded', async () => {
    const settings = { tags: { team: 'market data', 'cost:center': 'a&b=c+d' }, journalTags: { keep: 'yes' } }
    expect(await headersBy(settings, 'x-amz-tagging')).toEqual({
      PutObject: 'keep=yes',
      CreateMultipartUpload: 'team=market%20data&cost%3Acenter=a%26b%3Dc%2Bd',
    })
  })

  it('sends none of these headers when nothing is said', async () => {
    const { store, requests } = capturing({})
    for (const call of Object.values(everyCall)) await call(store)
    const names = requests.flatMap(({ headers }) => Object.keys(headers))
    expect(names.filter((name) => /encryption|storage-class|tagging|owner/.test(name))).toEqual([])
  })

  it('still puts on condition, and signs what it says', async () => {
    const { store, requests } = capturing({
      serverSideEncryption: 'AES256',
      journalTags: { keep: 'yes' },
      expectedBucketOwner: '123456789012',
    })
    await store.putIfAbsent('a', new Uint8Array(1), { signedBefore: Date.now() + 60_000 })
    const { headers } = requests[0]!
    expect(headers).toMatchObject({ 'if-none-match': '*' })
    for (const name of ['x-amz-tagging', 'x-amz-expected-bucket-owner', 'x-amz-server-side-encryption']) {
      expect(headers['authorization']).toContain(name)
    }
  })

  it.each<[string, unknown]>([
    ['serverSideEncryption is one of', { serverSideEncryption: 'aws:fsx' }],
    ['kmsKeyId goes with', { kmsKeyId: 'alias/lake' }],
    ['kmsKeyId goes with', { serverSideEncryption: 'AES256', kmsKeyId: 'alias/lake' }],
    ['bucketKeyEnabled goes with', { serverSideEncryption: 'aws:kms:dsse', bucketKeyEnabled: true }],
    ['archive class cannot be queried', { storageClass: 'DEEP_ARCHIVE' }],
    ['12 digits', { expectedBucketOwner: '1234' }],
    ['tags has 11 tags', { tags: Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`t${n}`, ''])) }],
    ['"aws:team" is no tag', { tags: { 'aws:team': 'x' } }],
    ['journalTags: "" is no tag', { journalTags: { '': 'x' } }],
  ])('refuses at once: %s', (sentence, settings) => {
    expect(() => capturing(settings as ObjectSettings)).toThrow(
      expect.objectContaining({
        code: 'OBJECT_SETTINGS_INVALID',
        message: expect.stringContaining(sentence),
      }),
    )
  })

  it('reaches the store of a sink made with a client, and is refused beside a store', async () => {
    const { client, requests } = capturing({})
    const sink = createSink({
      name: 'market',
      topic: ticksTopic,
      table: lake,
      client,
      expectedBucketOwner: '123456789012',
    })
    await sink
      .assign([{ topic: 'ticks', partition: 0, logStart: 0n, logEnd: 0n }], { generation: 1 })
      .catch(() => {})
    expect(requests[0]!.headers['x-amz-expected-bucket-owner']).toBe('123456789012')
    await sink.close()
    expect(() =>
      createSink({
        name: 'market',
        topic: ticksTopic,
        table: lake,
        store: new MemoryObjectStore(),
        storageClass: 'STANDARD_IA',
        tags: {},
      }),
    ).toThrow(
      expect.objectContaining({
        code: 'SINK_OPTION_INVALID',
        message: expect.stringContaining('storageClass, tags'),
      }),
    )
  })
})
