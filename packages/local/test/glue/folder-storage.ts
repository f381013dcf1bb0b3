import { cp, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ServiceError } from '../../src/http/json-service.ts'
import type { ObjectStorage, StoredObject } from '../../src/object-storage.ts'

/** Object storage over a plain folder, `<root>/<bucket>/<key>`; counts what is listed. */
export class FolderStorage implements ObjectStorage {
  readonly root: string
  readonly listed: string[] = []

  constructor(root: string) {
    this.root = root
  }

  async *listObjects(bucket: string, prefix: string): AsyncIterable<StoredObject> {
    this.listed.push(prefix)
    if (!(await this.bucketExists(bucket))) return
    const names = await readdir(join(this.root, bucket), { recursive: true })
    for (const key of names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      const found = key.startsWith(prefix) ? await this.findObject(bucket, key) : undefined
      if (found !== undefined) yield found
    }
  }

  async findObject(bucket: string, key: string): Promise<StoredObject | undefined> {
    const filePath = join(this.root, bucket, key)
    const about = await stat(filePath).catch(() => undefined)
    if (about === undefined || !about.isFile()) return undefined
    return { bucket, key, size: about.size, etag: 'e', lastModified: about.mtimeMs, filePath }
  }

  async writeObject(
    bucket: string,
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    if (!(await this.bucketExists(bucket))) throw new ServiceError('NoSuchBucket', `no bucket ${bucket}`)
    const filePath = join(this.root, bucket, key)
    await mkdir(dirname(filePath), { recursive: true })
    await writeFile(filePath, body)
  }

  async bucketExists(bucket: string): Promise<boolean> {
    return stat(join(this.root, bucket)).then(
      (about) => about.isDirectory(),
      () => false,
    )
  }

  async createBucket(bucket: string): Promise<void> {
    await mkdir(join(this.root, bucket), { recursive: true })
  }

  /** Copies a file of this machine to a key. */
  async copyIn(filePath: string, bucket: string, key: string): Promise<void> {
    await cp(filePath, join(this.root, bucket, key))
  }
}
