import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { type ColumnBatch, StockpipeError } from '@stockpipe/core'

/** Where a batch is in the file. */
export interface SpilledBatch {
  readonly position: number
  readonly length: number
}

/**
 * A temporary file of column batches, as they are in memory. It has no name once it is open, so that nothing is left of it
 * whatever becomes of the process.
 */
export class SpillFile implements AsyncDisposable {
  readonly #folder: string
  readonly #handle: FileHandle
  #bytes = 0

  private constructor(folder: string, handle: FileHandle) {
    this.#folder = folder
    this.#handle = handle
  }

  /** Throws a `StockpipeError` (`TEMPORARY_FILE_FAILED`) where no file can be made. */
  static async create(temporaryFolder: string): Promise<SpillFile> {
    const made = async () => {
      const folder = await mkdtemp(join(temporaryFolder, 'stockpipe-compaction-'))
      try {
        const handle = await open(join(folder, 'rows'), 'wx+', 0o600)
        // Where an open file keeps its name, it goes at the end.
        await rm(folder, { recursive: true, force: true }).catch(() => {})
        return new SpillFile(folder, handle)
      } catch (error) {
        await rm(folder, { recursive: true, force: true })
        throw error
      }
    }
    return made().catch((cause: unknown) => {
      throw failed(cause, temporaryFolder, 0)
    })
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** Throws a `StockpipeError` (`TEMPORARY_FILE_FAILED`) when the disk is full or fails. */
  async write(batch: ColumnBatch): Promise<SpilledBatch> {
    const bytes = serialize(batch)
    const spilled = { position: this.#bytes, length: bytes.length }
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, spilled.position + at)
        at += bytesWritten
      }
    } catch (cause) {
      throw failed(cause, this.#folder, this.#bytes)
    }
    this.#bytes += bytes.length
    return spilled
  }

  async read({ position, length }: SpilledBatch): Promise<ColumnBatch> {
    const bytes = Buffer.allocUnsafeSlow(length)
    try {
      for (let at = 0; at < length; ) {
        const { bytesRead } = await this.#handle.read(bytes, at, length - at, position + at)
        if (bytesRead === 0) throw new Error('it ends too early')
        at += bytesRead
      }
    } catch (cause) {
      throw failed(cause, this.#folder, this.#bytes)
    }
    return deserialize(bytes) as ColumnBatch
  }

  async close(): Promise<void> {
    await this.#handle.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const failed = (cause: unknown, folder: string, bytes: number): StockpipeError => {
  const why = cause instanceof Error ? cause.message : String(cause)
  const isFull = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((cause as NodeJS.ErrnoException).code ?? '')
  return new StockpipeError({
    code: 'TEMPORARY_FILE_FAILED',
    message: `Rows cannot be sorted through a temporary file in ${folder}${isFull ? `, which is full after ${bytes} bytes` : ''}: ${why}. Nothing is claimed. Set temporaryFolder to a folder with room for the rows of the largest partition, uncompressed, or raise rowBytes.`,
    cause,
    facts: { folder, bytes },
  })
}
