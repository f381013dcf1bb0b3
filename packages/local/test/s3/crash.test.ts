import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileObjectStorage } from '../../src/s3/file-object-storage.ts'
import { type ObjectMetadata, ObjectMetadataVersions } from '../../src/s3/object-metadata.ts'

const bucket = 'crash'
let dataDirectory: string
let storage: FileObjectStorage

beforeEach(async () => {
  dataDirectory = await mkdtemp(path.join(tmpdir(), 'stockpipe-crash-'))
  storage = await FileObjectStorage.open(dataDirectory)
  await storage.createBucket(bucket)
})
afterEach(() => rm(dataDirectory, { recursive: true, force: true }))

const find = async (key: string) => (await storage.bucket(bucket)).objects.find(key)
const reopen = async () => {
  storage = await FileObjectStorage.open(dataDirectory)
}
const metadataOnDisk = () =>
  new ObjectMetadataVersions(path.join(dataDirectory, 's3-meta', bucket, 'objects'))

describe('after a crash', () => {
  it('between metadata and file, the object that was there has its own metadata', async () => {
    await storage.writeObject(bucket, 'key', Buffer.from('old'), { contentType: 'text/old' })
    const old = (await find('key'))!
    const next: ObjectMetadata = {
      ...old,
      size: 5,
      etag: 'new',
      headers: { 'content-type': 'text/new' },
      modifiedNanos: '1',
    }
    metadataOnDisk().write('key', next, old)
    await writeFile(path.join(storage.stagingDirectory, 'half'), 'newer')
    await reopen()
    expect(await find('key')).toEqual(old)
    expect(await readdir(storage.stagingDirectory)).toEqual([])
  })

  it('before the first file of a key, there is no object', async () => {
    await storage.writeObject(bucket, 'other', Buffer.from('x'))
    const other = (await find('other'))!
    metadataOnDisk().write('never', other)
    await reopen()
    expect(await find('never')).toBeUndefined()
    await storage.writeObject(bucket, 'never', Buffer.from('now'), { contentType: 'text/now' })
    expect((await find('never'))?.headers).toEqual({ 'content-type': 'text/now' })
  })

  it('that tore or lost the metadata, the bytes are still an object', async () => {
    await storage.writeObject(bucket, 'a/b', Buffer.from('bytes'))
    const etag = (await find('a/b'))!.etag
    await rm(path.join(dataDirectory, 's3-meta', bucket, 'objects'), { recursive: true })
    await reopen()
    expect(await find('a/b')).toMatchObject({ etag, size: 5, headers: {} })
    const found = await storage.findObject(bucket, 'a/b')
    expect(await readFile(found!.filePath, 'utf8')).toBe('bytes')
  })
})

describe('two versions of one size and one moment', () => {
  it('are told apart', async () => {
    for (let n = 0; n < 20; n++) {
      await storage.writeObject(bucket, 'same', Buffer.from(`${n % 10}`), { contentType: `text/${n}` })
      const file = (await storage.findObject(bucket, 'same'))!.filePath
      expect((await find('same'))?.headers).toEqual({ 'content-type': `text/${n}` })
      const { mtime } = await stat(file)
      await utimes(file, mtime, mtime)
    }
    await reopen()
    expect((await find('same'))?.etag).toBe('45c48cce2e2d7fbdea1afc51c7c6ad26')
  })

  it('are told apart by their content where a hand has given the one the time of the other', async () => {
    const touched = new Date(Date.UTC(2026, 0, 2))
    for (const text of ['8', '9']) {
      await storage.writeObject(bucket, 'same', Buffer.from(text), { contentType: `text/${text}` })
      await utimes((await storage.findObject(bucket, 'same'))!.filePath, touched, touched)
    }
    await reopen()
    expect(await find('same')).toMatchObject({
      etag: '45c48cce2e2d7fbdea1afc51c7c6ad26',
      headers: { 'content-type': 'text/9' },
    })
  })
})

describe('the storage in process', () => {
  it('lists what begins with a prefix, in order, and nothing of a bucket that is not there', async () => {
    for (const key of ['b/2', 'a', 'b/1', 'c', 'b/\u{1f680}', 'b/\uffee']) {
      await storage.writeObject(bucket, key, Buffer.from(key))
    }
    const listed = []
    for await (const object of storage.listObjects(bucket, 'b/')) listed.push(object)
    expect(listed.map(({ key }) => key)).toEqual(['b/1', 'b/2', 'b/\uffee', 'b/\u{1f680}'])
    expect(listed[0]).toMatchObject({ bucket, size: 3, etag: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(await readFile(listed[0]!.filePath, 'utf8')).toBe('b/1')
    const none = []
    for await (const object of storage.listObjects('nowhere', '')) none.push(object)
    expect(none).toEqual([])
    expect(await storage.findObject('nowhere', 'x')).toBeUndefined()
    await expect(storage.writeObject('nowhere', 'x', Buffer.from('x'))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    })
  })
})
