import { abortWith, type ObjectMetadata, StockpipeError } from '@stockpipe/core'
import type { DataFileKeys } from './data-file-key.ts'
import type { PartResponse } from './engine-host.ts'
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
  readonly claimId: string
  readonly keys: Readonly<Record<FileContent, DataFileKeys>>
  /** Fixed when an upload is created: sink, writer, claim id, start. */
  readonly metadata: ObjectMetadata
  /** Bounds the parts in flight over all partition logs. */
  readonly uploadSlots: Slots
  readonly budget: MemoryBudget
  readonly signal: AbortSignal
}

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

/**
 * Step 3 of one flush group: sends its files as parts of uploads that are not completed, those that are whole while the
 * group is open, and the rest at its cut. One staging has one claim id.
 */
export class Staging {
  readonly #options: StagingOptions
  /** By their number within the group. */
  readonly #files = new Map<number, StagedFile>()
  readonly #failure = new AbortController()
  readonly #signal = this.#failure.signal
  readonly #unfollow: () => void

  constructor(options: StagingOptions) {
    this.#options = options
    this.#unfollow = abortWith(options.signal, this.#failure)
  }

  get claimId(): string {
    return this.#options.claimId
  }

  /** Throws what hindered a part. */
  throwIfFailed(): void {
    this.#signal.throwIfAborted()
  }

  /**
   * Has a part sent. Resolves as soon as there is a slot and room for it; rejects when a part before it could not be
   * sent.
   *
   * @param charged called when the memory budget is charged with the part, before anyone is told
   */
  async add(part: PartResponse, charged?: () => void): Promise<void> {
    const { uploadSlots, budget } = this.#options
    const release = await uploadSlots.acquire(this.#signal)
    const { bytes } = part
    const discharge = await budget
      .chargeUpload(bytes.length, this.#signal, charged)
      .catch((error: unknown) => {
        release()
        throw error
      })
    const file = this.#file(part)
    file.tail = file.tail
      .then(() => this.#send(file, bytes))
      .finally(() => {
        release()
        discharge()
      })
    file.tail.catch((error: unknown) => this.#failure.abort(error))
  }

  /** Pulls what a cut answers as parts are sent. Resolves when every part is durable, with the files as they came. */
  async finish(
    responses: Iterable<EngineResponse> | AsyncIterable<EngineResponse>,
  ): Promise<readonly EntryFile[]> {
    const whole = new Set<StagedFile>()
    for await (const response of responses) {
      if (response.kind === 'part') await this.add(response)
      if (response.kind !== 'file') continue
      const file = this.#file(response)
      file.whole = response
      whole.add(file)
    }
    await Promise.all(this.#tails())
    this.#signal.throwIfAborted()
    this.#unfollow()
    // A file that did not end comes last, and is refused.
    for (const file of this.#files.values()) whole.add(file)
    return [...whole].map(entryFile)
  }

  /** Aborts the uploads. Only when the claim was never sent, or another's entry was seen at its start. */
  async abort(): Promise<void> {
    const { runtime, logger, store } = this.#options
    this.#unfollow()
    this.#failure.abort(new StockpipeError({ code: 'STAGING_ABORTED', message: 'The staging was given up.' }))
    await Promise.allSettled(this.#tails())
    const late = new AbortController()
    const timer = runtime.setTimer(() => late.abort(new Error('took too long')), abortMillis)
    try {
      for (const { key, uploadId } of this.#files.values()) {
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

  #tails(): Promise<void>[] {
    return [...this.#files.values()].map(({ tail }) => tail)
  }

  #file({ file: number, content, partitionValues }: PartResponse | FileResponse): StagedFile {
    const known = this.#files.get(number)
    if (known) return known
    const file: StagedFile = {
      content,
      key: this.#options.keys[content].next(partitionValues),
      partitionValues,
      parts: [],
      sentNumber: 0,
      tail: Promise.resolve(),
    }
    this.#files.set(number, file)
    return file
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
    const size = bytes.length
    await retry(this.#options, { ...call, what: `sending a part of ${file.key}` }, async () => {
      const partNumber = file.sentNumber + 1
      if (partNumber > greatestPartNumber) {
        throw new StockpipeError({
          code: 'TOO_MANY_PARTS',
          message: `${file.key} needs more than ${greatestPartNumber} part numbers; raise partBytes.`,
          facts: { key: file.key },
        })
      }
      if (bytes.length !== size) {
        throw new StockpipeError({
          code: 'STAGING_INCOMPLETE',
          message: `A part of ${file.key} cannot be sent again: its store freed the bytes, and said then that it failed. A store that wraps another has to answer what that one answered.`,
          facts: { key: file.key },
        })
      }
      file.sentNumber = partNumber
      const given = { ...call, bodyIsGiven: true }
      const { etag } = await store.uploadPart(file.key, uploadId, partNumber, bytes, given)
      file.parts.push({ partNumber, etag, size })
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
