import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { stackOfFile } from '../stack/stack-of-file.ts'

const Bucket = 'market-lake'
const { stack, s3 } = await stackOfFile(Bucket)

const put = (Key: string, Body: string | Buffer | Readable, more = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
const get = (Key: string, more = {}) => s3.send(new GetObjectCommand({ Bucket, Key, ...more }))
const text = async (Key: string, more = {}) => (await get(Key, more)).Body!.transformToString()

describe('objects', () => {
  it('put again lose the metadata they had', async () => {
    await put('again', 'first', { ContentType: 'text/plain', Metadata: { first: '1' } })
    await put('again', 'second', {})
    const { Metadata, ContentType } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'again' }))
    expect([Metadata, ContentType]).toEqual([{}, 'application/octet-stream'])
  })

  it('read while they are replaced are always one version whole', async () => {
    const versions = ['a', 'b', 'c'].map((letter) => letter.repeat(200_000))
    await put('busy', versions[0]!)
    const writes = Array.from({ length: 12 }, (_, n) => put('busy', versions[n % 3]!))
    const reads = Array.from({ length: 24 }, () => get('busy'))
    for (const read of await Promise.all(reads)) {
      const body = await read.Body!.transformToString()
      expect(versions.includes(body)).toBe(true)
      expect(read.ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`)
    }
    await Promise.all(writes)
  })

  it('are plain files beneath the data directory', async () => {
    await put('trades/trade_date=2024-01-02/ticker=BRK.B/part-0.parquet', 'rows')
    const file = path.join(
      stack.dataDir,
      's3',
      Bucket,
      'trades/trade_date=2024-01-02/ticker=BRK.B/part-0.parquet',
    )
    expect(await readFile(file, 'utf8')).toBe('rows')
  })

  it('sent as a stream lose the encoding they were sent in', async () => {
    await put('streamed', Readable.from([Buffer.from('x')]), { ContentLength: 1, ContentEncoding: 'gzip' })
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'streamed' }))).ContentEncoding).toBe('gzip')
    await put('streamed', Readable.from([Buffer.from('x')]), { ContentLength: 1 })
    expect(
      (await s3.send(new HeadObjectCommand({ Bucket, Key: 'streamed' }))).ContentEncoding,
    ).toBeUndefined()
  })

  it('are found again under odd keys', async () => {
    const keys = [
      'dt=../symbol=BRK.B/a b+c%',
      '../../escape',
      './here',
      'a//b',
      'folder/',
      '/leading',
      'x',
      'x/y',
      'x/y/z',
      'Case',
      'case',
      'CASE/inner',
      'ünï/日本/🚀',
      `long/${'s'.repeat(900)}`,
      `wide/${'é'.repeat(400)}`,
      'con',
      'nul.txt',
      'q?x=1&y#z',
      'star*[ab]{c}',
      'back\\slash:colon|pipe"quote<lt>',
      'tab\tnewline\n',
      "!'()~-_.",
      'dot.',
      'space ',
    ]
    for (const key of keys) await put(key, `body of ${key}`)
    for (const key of keys) expect(await text(key), key).toBe(`body of ${key}`)
    for (const key of keys) await s3.send(new DeleteObjectCommand({ Bucket, Key: key }))
    for (const key of keys) await expect(get(key), key).rejects.toMatchObject({ name: 'NoSuchKey' })
  })

  it('are copied only if the source is another version than the one named', async () => {
    const { ETag } = await put('source', 'x')
    const copy = (CopySourceIfNoneMatch: string) =>
      s3.send(
        new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/source`, CopySourceIfNoneMatch }),
      )
    await expect(copy(ETag!)).rejects.toMatchObject({ name: 'PreconditionFailed' })
    await copy('"other"')
    expect(await text('copy')).toBe('x')
  })

  it('are deleted by the thousand at most, and quietly if asked', async () => {
    const keys = ['del/\r\n', ' ', 'del/']
    for (const key of keys) await put(key, 'x')
    const remove = (names: readonly string[]) =>
      s3.send(
        new DeleteObjectsCommand({ Bucket, Delete: { Objects: names.map((Key) => ({ Key })), Quiet: true } }),
      )
    expect((await remove(keys)).Deleted).toBeUndefined()
    for (const key of keys) await expect(get(key)).rejects.toMatchObject({ name: 'NoSuchKey' })
    const tooMany = Array.from({ length: 1_001 }, (_, n) => `k${n}`)
    await expect(remove(tooMany)).rejects.toMatchObject({ name: 'MalformedXML' })
  })
})
