import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileObjectStorage } from '../../src/s3/file-object-storage.ts'
import { ObjectMetadataLog } from '../../src/s3/object-metadata-log.ts'

let directory: string
let filePath: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'stockpipe-metadata-'))
  filePath = path.join(directory, 'objects', 'metadata.log')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const oddKeys = ['a', 'A', 'tab\there', 'line\nbreak', '\u2028', 'ключ/🚀', '"quoted"\\', '__proto__']

describe('the metadata log', () => {
  it('is read back as it was left, whatever the keys', () => {
    const log = new ObjectMetadataLog(filePath)
    for (const key of oddKeys) log.set(key, { key, text: 'tab\t and\nline' })
    log.set('a', 'again')
    log.delete('A')
    log.delete('never there')
    for (const read of [log, new ObjectMetadataLog(filePath)]) {
      expect(read.get('a')).toBe('again')
      expect(read.get('A')).toBeUndefined()
      for (const key of oddKeys.slice(2)) expect(read.get(key)).toEqual({ key, text: 'tab\t and\nline' })
    }
  })

  it('cut at any byte has every whole line and none of the torn one, and goes on from there', () => {
    const log = new ObjectMetadataLog(filePath)
    log.set('first', 1)
    const whole = statSync(filePath).size
    log.set('first', 'second version')
    const content = readFileSync(filePath)
    for (let size = whole; size < content.length; size++) {
      writeFileSync(filePath, content.subarray(0, size))
      const torn = new ObjectMetadataLog(filePath)
      expect(torn.get('first')).toBe(1)
      torn.set('next', size)
      const again = new ObjectMetadataLog(filePath)
      expect([again.get('first'), again.get('next')]).toEqual([1, size])
    }
  })

  it('passes over a line that something else has damaged', () => {
    const log = new ObjectMetadataLog(filePath)
    log.set('one', 1)
    appendFileSync(filePath, 'no tab\n"two"\t{"torn\n\n{]\t1\n')
    new ObjectMetadataLog(filePath).set('three', 3)
    const read = new ObjectMetadataLog(filePath)
    expect(['one', 'two', 'three'].map((key) => read.get(key))).toEqual([1, undefined, 3])
  })

  it('does not grow with what no longer holds', () => {
    const log = new ObjectMetadataLog(filePath)
    log.set('kept', 'kept')
    for (let n = 0; n < 10_000; n++) log.set('changed', n)
    expect(statSync(filePath).size).toBeLessThan(100_000)
    expect(existsSync(`${filePath}.new`)).toBe(false)
    const read = new ObjectMetadataLog(filePath)
    expect([read.get('kept'), read.get('changed')]).toEqual(['kept', 9_999])
  })

  it('takes no notice of a compaction that was killed', () => {
    new ObjectMetadataLog(filePath).set('a', 1)
    writeFileSync(`${filePath}.new`, '"a"\t2\n"b')
    expect(new ObjectMetadataLog(filePath).get('a')).toBe(1)
  })
})

describe('a data directory', () => {
  const bucket = 'older'
  const sidecarPath = (key: string) => {
    const hash = createHash('sha256').update(key).digest('hex').slice(0, 40)
    return path.join(directory, 's3-meta', bucket, 'objects', hash.slice(0, 2), `${hash.slice(2)}.json`)
  }
  const find = async (key: string) => {
    const storage = await FileObjectStorage.open(directory)
    return (await storage.bucket(bucket)).objects.find(key)
  }

  it('with one JSON file an object is read as it is, and written to the log from then on', async () => {
    const storage = await FileObjectStorage.open(directory)
    await storage.createBucket(bucket)
    for (const key of ['kept', 'changed', 'gone']) {
      const file = path.join(directory, 's3', bucket, key)
      writeFileSync(file, key)
      const { mtimeNs, size } = statSync(file, { bigint: true })
      const version = {
        ...{ size: Number(size), modifiedNanos: String(mtimeNs), etag: `etag of ${key}` },
        ...{ headers: { 'content-type': 'text/old' }, userMetadata: { key } },
      }
      mkdirSync(path.dirname(sidecarPath(key)), { recursive: true })
      writeFileSync(sidecarPath(key), JSON.stringify({ key, versions: [version] }))
    }
    for (const key of ['kept', 'changed', 'gone']) {
      expect(await find(key)).toMatchObject({ etag: `etag of ${key}`, userMetadata: { key } })
    }
    const reopened = await FileObjectStorage.open(directory)
    await reopened.writeObject(bucket, 'changed', Buffer.from('anew'), { contentType: 'text/new' })
    const { objects } = await reopened.bucket(bucket)
    await objects.delete('gone')
    expect(existsSync(sidecarPath('gone'))).toBe(false)
    expect(await find('gone')).toBeUndefined()
    expect(await find('kept')).toMatchObject({ headers: { 'content-type': 'text/old' } })
    expect(await find('changed')).toMatchObject({ headers: { 'content-type': 'text/new' } })
  })

  it("whose log lost its last line still has that object's bytes, and the others' metadata", async () => {
    const storage = await FileObjectStorage.open(directory)
    await storage.createBucket(bucket)
    for (const key of ['a', 'A']) {
      await storage.writeObject(bucket, key, Buffer.from(key), { contentType: `text/${key}` })
    }
    const log = path.join(directory, 's3-meta', bucket, 'objects', 'metadata.log')
    truncateSync(log, statSync(log).size - 1)
    expect((await find('a'))?.headers).toEqual({ 'content-type': 'text/a' })
    expect(await find('A')).toMatchObject({ size: 1, headers: {} })
  })

  it('takes a bucket made again under the name of one deleted for a new one', async () => {
    const storage = await FileObjectStorage.open(directory)
    await storage.createBucket(bucket)
    await storage.writeObject(bucket, 'key', Buffer.from('x'), { contentType: 'text/first' })
    const { objects: former } = await storage.bucket(bucket)
    await former.delete('key')
    await storage.deleteBucket(bucket)
    await storage.createBucket(bucket)
    await storage.writeObject(bucket, 'key', Buffer.from('x'), { contentType: 'text/second' })
    const staged = path.join(storage.stagingDirectory, 'late')
    writeFileSync(staged, 'late')
    const late = { filePath: staged, size: 4, etag: 'late', headers: {}, userMetadata: {} }
    await expect(former.write('key', late)).rejects.toMatchObject({ name: 'NoSuchBucket' })
    expect((await find('key'))?.headers).toEqual({ 'content-type': 'text/second' })
  })
})
