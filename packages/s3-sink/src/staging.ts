import { type ObjectMetadata, StockpipeError } from '@stockpipe/core'
import type { DataFileKeys } from './data-file-key.ts'
import type { EngineResponse, FileContent } from './engine-messages.ts'
import type { EntryFile, EntryPart } from './journal-entry.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { type RetryContext, retry } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'
import type { Slots } from './slots.ts'

const greatestPartNumber = 10_000
const abortMillis = 10_000

export interface StagingOptions extends RetryContext {
  readonly store: SinkObjectStore
  readonly keys: Readonly<Record<FileContent, DataFileKeys>>
  /** Fixed when an upload is created: sink, writer, claim id, start. */
  readonly metadata: ObjectMetadata
  /** Bounds the parts in flight over all partition logs. */
  readonly uploadSlots: Slots
  readonly budget: MemoryBudget
  readonly signal: AbortSignal
}

type PartResponse = Extract<EngineResponse, { kind: 'part' }>
type FileResponse = Extract<EngineResponse, { kind: 'file' }>

interface StagedFile {
  readonly content: FileContent
  readonly key: string
  readonly partitionValues: readonly (string | null)[]
  readonly parts: EntryPart[]
  uploadId?: string
  /** The greatest part number sent; none is ever sent twice. */
  sentNumber: number
  /** Parts of one file go one after another, so that a repeat can take the next number. */
  tail: Promise<void>
  whole?: FileResponse
}

/** Step 3: sends a cut's files as parts of uploads that are not completed. One staging has one claim id. */
export class Staging {
  readonly #options: StagingOptions
  readonly #files: StagedFile[] = []
  readonly #failure = new AbortController()
  readonly #signal: AbortSignal

  constructor(options: StagingOptions) {
    this.#options = options
    this.#signal = AbortSignal.any([options.signal, this.#failure.signal])
  }

  /** Pulls the engine's responses as parts are sent. Resolves when every part is durable. */
  async run(
    responses: Iterable<EngineResponse> | AsyncIterable<EngineResponse>,
  ): Promise<readonly EntryFile[]> {
    for await (const response of responses) {
      if (response.kind === 'part') await this.#addPart(response)
      if (response.kind === 'file') this.#file(response).whole = response
    }
    await Promise.all(this.#files.map((file) => file.tail))
    this.#signal.throwIfAborted()
    return this.#files.map(entryFile)
  }

  /** Aborts the uploads. Only when the claim was never sent, or another's entry was seen at its start. */
  async abort(): Promise<void> {
    const { runtime, logger, store } = this.#options
    this.#failure.abort(new StockpipeError({ code: 'STAGING_ABORTED', message: 'The staging was given up.' }))
    await Promise.allSettled(this.#files.map((file) => file.tail))
    const late = new AbortController()
    const timer = runtime.setTimer(() => late.abort(new Error('took too long')), abortMillis)
    try {
      for (const { key, uploadId } of this.#files) {
        if (uploadId === undefined) continue
        await retry({ runtime, logger }, { signal: late.signal, what: `aborting ${key}`, attempts: 3 }, () =>
          store.abortUpload(key, uploadId, { signal: late.signal }),
        )
      }
    } catch (error) {
      logger.warn(`Staged uploads were left behind, to be cleaned later: ${String(error)}`)
    } finally {
      timer.cancel()
    }
  }

  async #addPart(part: PartResponse): Promise<void> {
    const file = this.#file(part)
    const { uploadSlots, budget } = this.#options
    const release = await uploadSlots.acquire(this.#signal)
    const discharge = await budget.chargeUpload(part.bytes.length, this.#signal).catch((error: unknown) => {
      release()
      throw error
    })
    const { bytes } = part
    file.tail = file.tail
      .then(() => this.#send(file, bytes))
      .finally(() => {
        release()
        discharge()
      })
    file.tail.catch((error: unknown) => this.#failure.abort(error))
  }

  #file({ file, content, partitionValues }: PartResponse | FileResponse): StagedFile {
    return (this.#files[file] ??= {
      content,
      key: this.#options.keys[content].next(partitionValues),
      partitionValues,
      parts: [],
      sentNumber: 0,
      tail: Promise.resolve(),
    })
  }

  async #send(file: StagedFile, bytes: Uint8Array): Promise<void> {
    const { store, metadata } = this.#options
    const call = { signal: this.#signal }
    if (file.uploadId === undefined) {
      const { uploadId } = await retry(this.#options, { ...call, what: `staging ${file.key}` }, () =>
        store.createUpload(file.key, { ...call, metadata, contentType: 'application/vnd.apache.parquet' }),
      )
      file.uploadId = uploadId
    }
    const { uploadId } = file
    await retry(this.#options, { ...call, what: `sending a part of ${file.key}` }, async () => {
      const partNumber = file.sentNumber + 1
      if (partNumber > greatestPartNumber) {
        throw new StockpipeError({
          code: 'TOO_MANY_PARTS',
          message: `${file.key} needs more than ${greatestPartNumber} part numbers; raise partBytes.`,
          facts: { key: file.key },
        })
      }
      file.sentNumber = partNumber
      const { etag } = await store.uploadPart(file.key, uploadId, partNumber, bytes, call)
      file.parts.push({ partNumber, etag, size: bytes.length })
    })
  }
}

const entryFile = (file: StagedFile): EntryFile => {
  const { content, key, uploadId, parts, partitionValues, whole } = file
  const bytes = parts.reduce((sum, part) => sum + part.size, 0)
  if (whole === undefined || uploadId === undefined || whole.bytes !== bytes) {
    throw new StockpipeError({
      code: 'STAGING_INCOMPLETE',
      message: `${key} has ${bytes} bytes staged, and the engine said ${whole?.bytes ?? 'nothing'}: a fault of the engine or the sink.`,
      facts: { key },
    })
  }
  return {
    kind: content,
    key,
    uploadId,
    parts,
    partitionValues,
    rows: whole.rows,
    bytes,
    firstOffset: whole.firstOffset,
    lastOffset: whole.lastOffset,
    minEventTime: whole.minEventTime,
    maxEventTime: whole.maxEventTime,
  }
}
