import { type ColumnBatch, StockpipeError, type TableDefinition } from '@stockpipe/core'
import type { CompactedFile } from './compaction-record.ts'
import { eventTimeRange } from './event-time.ts'
import { ExternalSort } from './external-sort.ts'
import type { ParquetCompression } from './parquet-compression.ts'
import { ParquetEncoder } from './parquet-encoder.ts'
import { readParquetRows } from './parquet-rows.ts'
import type { FilePart } from './part-cutter.ts'
import type { PathFile } from './path-file.ts'
import { PathFiles } from './path-files.ts'
import { type RetryContext, retry } from './retry.ts'
import { RowChecksummer } from './row-checksum.ts'
import { RowCollector } from './row-collector.ts'
import { RowGroupEncoder } from './row-group-encoder.ts'
import { RowOrder, type SortColumn } from './row-order.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

const mebibyte = 1024 * 1024
const partBytes = 8 * mebibyte
const rowGroupRows = 65_536
/** Rows that are taken into a row group before it is asked whether it is full. */
const writtenRows = 4096
const attempts = 6

export interface CompactedFilesOptions extends RetryContext {
  readonly store: SinkObjectStore
  readonly table: TableDefinition
  /** Key prefix that ends in a slash; nobody else writes there. */
  readonly folder: string
  readonly compression: ParquetCompression
  readonly sortBy: readonly (string | SortColumn)[]
  /** Values held in memory to be sorted, in bytes; the rest goes through a file in `temporaryFolder`. */
  readonly rowBytes: number
  readonly temporaryFolder: string
  /** Target of a file, in bytes. */
  readonly fileBytes: number
  readonly keyValues: ReadonlyMap<string, string>
  readonly metadata: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** A file under way: its upload, once a part of it was sent. */
interface OpenFile {
  readonly key: string
  uploadId: string | undefined
  bytes: number
  readonly parts: { readonly partNumber: number; readonly etag: string }[]
}

/** Writes rows, sorted, to the files of a new folder, and reads them back. Nobody reads the folder before it is claimed. */
export class CompactedFiles implements AsyncDisposable {
  readonly #options: CompactedFilesOptions
  readonly #encoder: RowGroupEncoder
  readonly #sort: ExternalSort | undefined
  #held: RowCollector
  #heldBytes = 0
  readonly #files: PathFiles
  readonly #open = new Map<PathFile, OpenFile>()
  readonly #written: CompactedFile[] = []
  #begun = 0

  constructor(options: CompactedFilesOptions) {
    const { table, sortBy } = options
    const { columns } = table
    this.#options = options
    this.#held = new RowCollector(columns)
    if (sortBy.length > 0)
      this.#sort = new ExternalSort({ ...options, columns, order: new RowOrder(columns, sortBy) })
    this.#encoder = new RowGroupEncoder({
      encoder: new ParquetEncoder(table.columns, { compression: options.compression, sortBy }),
      columns: table.columns.length,
      rowGroupRows,
      fileBytes: options.fileBytes,
      partBytes,
      eventTimes: eventTimeRange(table, undefined),
    })
    this.#files = new PathFiles(options.fileBytes, partBytes)
  }

  async add(rows: ColumnBatch): Promise<void> {
    if (this.#sort) await this.#sort.add(rows)
    else await this.#write(rows)
  }

  /** Writes what is left and ends the last file; answers all, each read back and found to hold what was written. */
  async end(): Promise<readonly CompactedFile[]> {
    if (this.#sort) for await (const rows of this.#sort.sorted()) await this.#write(rows)
    await this.#encode()
    await this.#sendWhole(undefined)
    await this.close()
    const files: CompactedFile[] = []
    for (const file of this.#written) files.push(await this.#readBack(file))
    return files
  }

  /** Frees the temporary file. */
  async close(): Promise<void> {
    await this.#sort?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Deletes what was written; nothing of it was claimed, and nobody will. */
  async discard(signal: AbortSignal): Promise<void> {
    const { store } = this.#options
    for (const { key, uploadId, bytes } of this.#open.values()) {
      if (uploadId === undefined) continue
      await retry(this.#options, { signal, attempts, what: `discarding ${key}` }, async () => {
        if (bytes >= 0) await store.abortUpload(key, uploadId, { signal })
        // Its completion may have come to pass though nobody heard of it.
        await store.delete(key, { signal })
      })
    }
  }

  /** Puts rows together to row groups as large as they may be. */
  async #write(rows: ColumnBatch): Promise<void> {
    for (let from = 0; from < rows.rows; ) {
      const begin = this.#held.rows
      const to = Math.min(rows.rows, from + writtenRows, from + rowGroupRows - begin)
      this.#held.add(rows, from, to)
      this.#heldBytes += this.#held.payloadBytes(begin, this.#held.rows)
      from = to
      if (this.#encoder.isDue(this.#held.rows, this.#heldBytes)) await this.#encode()
    }
  }

  async #encode(): Promise<void> {
    if (this.#held.rows === 0) return
    const encoded = this.#encoder.encode(this.#held.batch(), this.#heldBytes)
    this.#held = new RowCollector(this.#options.table.columns)
    this.#heldBytes = 0
    for (const group of encoded) this.#files.add(group)
    await this.#sendWhole(this.#files.files.at(-1)!)
  }

  /** Sends the parts that are there, and ends every file but the one that rows are still added to. */
  async #sendWhole(last: PathFile | undefined): Promise<void> {
    for (const file of this.#files.files) {
      let open = this.#open.get(file)
      if (open === undefined) {
        open = { key: this.#nextKey(), uploadId: undefined, bytes: 0, parts: [] }
        this.#open.set(file, open)
      }
      if (open.bytes < 0) continue
      for (let part = file.takePart(); part; part = file.takePart()) await this.#send(open, part)
      if (file === last) continue
      for (const part of file.rest(this.#encoder.footer(file.rowGroups, this.#options.keyValues)))
        await this.#send(open, part)
      await this.#complete(file, open)
      file.release()
    }
  }

  #nextKey(): string {
    const number = this.#begun.toString().padStart(5, '0')
    this.#begun += 1
    return `${this.#options.folder}part-${number}.parquet`
  }

  async #send(open: OpenFile, { partNumber, bytes }: FilePart): Promise<void> {
    const { store, signal, metadata } = this.#options
    const call = signal ? { signal } : {}
    open.uploadId ??= (
      await this.#retry(`beginning ${open.key}`, () =>
        store.createUpload(open.key, {
          ...call,
          metadata,
          contentType: 'application/vnd.apache.parquet',
        }),
      )
    ).uploadId
    const uploadId = open.uploadId
    // The same bytes each time: a late duplicate of an attempt changes nothing.
    const { etag } = await this.#retry(`sending part ${partNumber} of ${open.key}`, () =>
      store.uploadPart(open.key, uploadId, partNumber, bytes, call),
    )
    open.parts.push({ partNumber, etag })
    open.bytes += bytes.length
  }

  async #complete(file: PathFile, open: OpenFile): Promise<void> {
    const { store, signal } = this.#options
    const call = signal ? { signal } : {}
    const head = await this.#retry(`completing ${open.key}`, async () => {
      await store.completeUpload(open.key, open.uploadId!, open.parts, call)
      // Gone: an answer was lost. The key is ours alone, so whatever is there is the file.
      return store.head(open.key, call)
    })
    if (head?.size !== open.bytes) {
      throw new StockpipeError({
        code: 'COMPACTION_FILE_LOST',
        message: `${open.key} was written with ${open.bytes} bytes and ${head ? `has ${head.size}` : 'is not there'}. Nothing is claimed; run it again.`,
        facts: { key: open.key },
      })
    }
    const facts = file.rowGroups
    const times = (name: 'minEventTime' | 'maxEventTime') => facts.flatMap((group) => group[name] ?? [])
    this.#written.push({
      key: open.key,
      rows: facts.reduce((sum, group) => sum + group.rows, 0),
      bytes: open.bytes,
      etag: head.etag,
      checksum: '',
      minEventTime: leastOf(times('minEventTime')),
      maxEventTime: greatestOf(times('maxEventTime')),
    })
    open.bytes = -1
  }

  async #readBack(file: CompactedFile): Promise<CompactedFile> {
    const { store, signal, table } = this.#options
    const bytes = await this.#retry(`reading ${file.key} back`, () =>
      store.get(file.key, signal ? { signal } : {}),
    )
    const sums = new RowChecksummer()
    try {
      for await (const batch of readParquetRows(table.columns, bytes ?? new Uint8Array())) sums.add(batch)
    } catch (cause) {
      if (!StockpipeError.isInstance(cause)) throw cause
      throw new StockpipeError({
        code: 'COMPACTION_DIFFERS',
        message: `${file.key} was written and cannot be read back. ${cause.message} Nothing is claimed, and queries read the former files; run it again.`,
        cause,
        facts: { key: file.key },
      })
    }
    return { ...file, rows: sums.rows, checksum: sums.checksum }
  }

  #retry<Answer>(what: string, call: () => Promise<Answer>): Promise<Answer> {
    return retry(this.#options, { signal: this.#options.signal, attempts, what }, call)
  }
}

const leastOf = (times: readonly number[]): number | null =>
  times.length === 0 ? null : times.reduce((least, time) => Math.min(least, time))
const greatestOf = (times: readonly number[]): number | null =>
  times.length === 0 ? null : times.reduce((greatest, time) => Math.max(greatest, time))
