import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import type { Durability } from '../../src/durability.ts'
import { FileObjectStorage } from '../../src/s3/file-object-storage.ts'
import type { MultipartUpload } from '../../src/s3/multipart-uploads.ts'
import { stageBody } from '../../src/s3/staged-body.ts'
import type { Storage } from './machine.ts'

export type ObjectAction =
  | { readonly kind: 'put'; readonly key: string; readonly bytes: number }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'list' }
  | { readonly kind: 'createUpload'; readonly key: string }
  | { readonly kind: 'putPart'; readonly partNumber: number; readonly bytes: number }
  | { readonly kind: 'complete' | 'abort' }

/** What is at a key; undefined is nothing. */
interface Version {
  /** Also its user metadata, so that bytes and metadata must be of one version. */
  readonly content: string
}

interface Kept<State> {
  /** Before the first change, then after each, in the order they were begun. */
  states: (State | undefined)[]
  acknowledged: number
}

interface OpenUpload {
  readonly upload: MultipartUpload
  readonly parts: Map<number, Kept<Version>>
  /** True, and undefined once it was completed or aborted. */
  readonly exists: Kept<true>
}

const bucket = 'lake'

/** Objects and uploads of one bucket: each key has a version that some write has made, none acknowledged being lost. */
export class KeptObjects implements Storage<ObjectAction> {
  #storage: FileObjectStorage | undefined
  #durability: Durability | undefined
  #isMade = false
  #contents = 0
  readonly #objects = new Map<string, Kept<Version>>()
  #uploads: OpenUpload[] = []

  async open(directory: string, durability: Durability): Promise<void> {
    this.#durability = durability
    this.#storage = await FileObjectStorage.open(directory, durability)
    if (this.#isMade) expect(await this.#storage.bucketFacts(bucket)).toMatchObject({ region: 'eu-west-1' })
    else if ((await this.#storage.bucketFacts(bucket)) === undefined) {
      await this.#storage.createBucket(bucket, 'eu-west-1')
    } else await this.#durability.settled()
    this.#isMade = true
  }

  async verify(): Promise<void> {
    const { objects, uploads } = await this.#bucket()
    for (const [key, kept] of this.#objects) settle(kept, await this.#version(key), key)
    const listed = []
    for await (const object of this.#storage!.listObjects(bucket, '')) listed.push(object.key)
    const present = [...this.#objects].filter(([, { states }]) => states.at(-1) !== undefined)
    expect(listed.sort()).toEqual(present.map(([key]) => key).sort())
    expect((await objects.index()).size).toBe(listed.length)
    const known = new Set(this.#uploads.map(({ upload }) => upload.uploadId))
    // One whose creation was not answered is nobody's; it is whole all the same.
    for (const upload of await uploads.list())
      if (!known.has(upload.uploadId)) expect(upload.key).toBeTypeOf('string')
    for (const { upload, parts, exists } of this.#uploads) {
      const found = await uploads.find(upload.uploadId)
      settle(exists, found === undefined ? undefined : true, upload.uploadId)
      if (found === undefined) continue
      const present = await uploads.parts(upload)
      for (const [partNumber, kept] of parts) {
        const part = present.find((one) => one.partNumber === partNumber)
        const chunks = []
        if (part !== undefined) for await (const chunk of uploads.read(upload, [part])) chunks.push(chunk)
        const content = part === undefined ? undefined : { content: String(Buffer.concat(chunks)) }
        settle(kept, content, `part ${partNumber}`)
      }
    }
    this.#uploads = this.#uploads.filter(({ exists }) => exists.states.at(-1) !== undefined)
    // A client that is told of what a killed process has left must find it again too.
    await this.#durability!.settled()
    const all = [...this.#objects.values(), ...this.#uploads.flatMap(({ parts }) => [...parts.values()])]
    for (const kept of all) kept.acknowledged = kept.states.length - 1
  }

  async begin(action: ObjectAction) {
    const acknowledged = this.#do(action)
    // What comes then is done to it.
    if (action.kind === 'createUpload') await acknowledged
    return { acknowledged }
  }

  async #do(action: ObjectAction): Promise<void> {
    const storage = this.#storage!
    const newest = this.#uploads.at(-1)
    switch (action.kind) {
      case 'put': {
        const content = this.#content(action.bytes)
        const { objects } = await this.#bucket()
        const staged = await stageBody(storage, bodyOf(content))
        // From here on writes of a key are in the order of these calls.
        const acknowledge = begun(this.#object(action.key), { content })
        await objects.write(action.key, written(staged, content))
        acknowledge()
        return
      }
      case 'delete': {
        const { objects } = await this.#bucket()
        const acknowledge = begun(this.#object(action.key), undefined)
        await objects.delete(action.key)
        acknowledge()
        return
      }
      case 'list': {
        const listed = []
        const at = new Map([...this.#objects].map(([key, { states }]) => [key, states.length]))
        for await (const object of storage.listObjects(bucket, '')) {
          // It may be deleted meanwhile.
          const content = await readFile(object.filePath, 'utf8').catch(() => undefined)
          listed.push({ key: object.key, content })
        }
        await this.#durability!.settled()
        // Whoever was told of a first version must find it again, or a later one.
        for (const { key, content } of listed) {
          if (content === undefined) continue
          const kept = this.#objects.get(key)!
          const seen = kept.states.findIndex((state) => state?.content === content)
          if (seen >= 0 && seen < at.get(key)!) kept.acknowledged = Math.max(kept.acknowledged, seen)
        }
        return
      }
      case 'createUpload': {
        const { uploads } = await this.#bucket()
        const upload = await uploads.create({ key: action.key, headers: {}, userMetadata: {} })
        this.#uploads.push({ upload, parts: new Map(), exists: { states: [true], acknowledged: 0 } })
        return
      }
      case 'putPart': {
        if (newest === undefined || newest.exists.states.at(-1) === undefined) return
        const kept = newest.parts.get(action.partNumber) ?? { states: [undefined], acknowledged: 0 }
        newest.parts.set(action.partNumber, kept)
        // Two puts of one part at a time have no order.
        if (kept.states.length - 1 > kept.acknowledged) return
        const content = this.#content(action.bytes)
        const acknowledge = begun(kept, { content })
        const { uploads } = await this.#bucket()
        const staged = await stageBody(storage, bodyOf(content))
        await uploads.putPart(newest.upload, action.partNumber, staged)
        acknowledge()
        return
      }
      case 'complete':
      case 'abort': {
        if (newest === undefined || newest.exists.states.at(-1) === undefined) return
        // As S3 has it, nobody completes an upload whose parts are not answered.
        if ([...newest.parts.values()].some((kept) => kept.states.length - 1 > kept.acknowledged)) return
        const ended = begun(newest.exists, undefined)
        const { objects, uploads } = await this.#bucket()
        if (action.kind === 'complete') {
          const { upload } = newest
          const parts = await uploads.parts(upload)
          const content = parts
            .map(({ partNumber }) => newest.parts.get(partNumber)!.states.at(-1)!.content)
            .join('')
          const staged = await stageBody(storage, {
            chunks: uploads.read(upload, parts),
            trailers: new Map(),
          })
          const acknowledge = begun(this.#object(upload.key), { content })
          await objects.write(upload.key, written(staged, content))
          acknowledge()
        }
        await uploads.remove(newest.upload.uploadId)
        ended()
      }
    }
  }

  #bucket() {
    return this.#storage!.bucket(bucket)
  }

  #object(key: string): Kept<Version> {
    let kept = this.#objects.get(key)
    if (kept === undefined) this.#objects.set(key, (kept = { states: [undefined], acknowledged: 0 }))
    return kept
  }

  async #version(key: string): Promise<Version | undefined> {
    const { objects } = await this.#bucket()
    const opened = await objects.open(key)
    if (opened === undefined) return undefined
    try {
      const content = String(await opened.file.readFile())
      expect(opened.metadata.userMetadata, `metadata of ${key}`).toEqual({ content })
      expect(opened.metadata.size).toBe(content.length)
      return { content }
    } finally {
      await opened.file.close()
    }
  }

  #content(bytes: number): string {
    return `${this.#contents++}:`.padEnd(bytes, 'x')
  }
}

const bodyOf = (content: string) => ({
  chunks: (async function* () {
    for (let at = 0; at < content.length; at += 100) yield Buffer.from(content.slice(at, at + 100))
  })(),
  trailers: new Map<string, string>(),
})

const written = (staged: { filePath: string; size: number; md5: string }, content: string) => ({
  filePath: staged.filePath,
  size: staged.size,
  etag: staged.md5,
  headers: {},
  userMetadata: { content },
})

/** Takes note of a change that is begun; the answer says that it is acknowledged. */
const begun = <State>(kept: Kept<State>, state: State | undefined): (() => void) => {
  const { states } = kept
  const number = states.push(state) - 1
  return () => {
    // After a restart they are counted anew.
    if (kept.states === states) kept.acknowledged = Math.max(kept.acknowledged, number)
  }
}

/** What was found is a state no older than the last acknowledged one; later ones are gone for good. */
const settle = <State>(kept: Kept<State>, found: State | undefined, name: string): void => {
  const possible = kept.states.slice(kept.acknowledged)
  const texts = possible.map((state) => JSON.stringify(state))
  const text = JSON.stringify(found)
  expect(texts, name).toContain(text)
  kept.states = possible.slice(0, texts.lastIndexOf(text) + 1)
  kept.acknowledged = 0
}
