import type { ColumnData, OpenParquet, ParquetBatch, RangedFile } from './column-data.ts'
import { loadPeer } from './optional-peer.ts'

/** Rows of a batch: few enough to be held, many enough that a batch costs little. */
const batchRows = 8192
/** Read of the end of a file at once: most footers are within. */
const tailBytes = 64 * 1024

const what = 'The resultPath unload'
const loadLibraries = () =>
  Promise.all([
    loadPeer('parquet-wasm', what, () => import('parquet-wasm')),
    loadPeer('apache-arrow', what, () => import('apache-arrow')),
  ])

/** Whether the libraries that read Parquet are installed. */
export const canReadParquet = (): Promise<boolean> =>
  loadLibraries().then(
    () => true,
    () => false,
  )

/** What parquet-wasm asks of a `Blob`. */
class FileRange {
  readonly size: number
  readonly #source: FileSource
  readonly #start: number

  constructor(source: FileSource, start: number, end: number) {
    this.#source = source
    this.#start = start
    this.size = end - start
  }

  slice(start = 0, end = this.size): FileRange {
    return new FileRange(this.#source, this.#start + start, this.#start + Math.min(end, this.size))
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    // A copy: the bytes may be part of a larger buffer.
    return new Uint8Array(await this.#source.read(this.#start, this.#start + this.size)).buffer
  }
}

/** The bytes of a file, whose end is read once. A read that fails never answers: the library would end with the process. */
class FileSource {
  readonly #file: RangedFile
  #tail: Promise<Uint8Array> | undefined
  #fail!: (error: unknown) => void
  /** Rejects with what a read has failed with. */
  readonly failed = new Promise<never>((_, reject) => {
    this.#fail = reject
  })

  constructor(file: RangedFile) {
    this.#file = file
    this.failed.catch(() => {})
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    try {
      const { size } = this.#file
      const tailStart = Math.max(0, size - tailBytes)
      if (start < tailStart) return await this.#file.read(start, end)
      this.#tail ??= this.#file.read(tailStart, size)
      return (await this.#tail).subarray(start - tailStart, end - tailStart)
    } catch (error) {
      this.#fail(error)
      return new Promise(() => {})
    }
  }
}

/** Opens a Parquet file with parquet-wasm and apache-arrow; only what is asked for is read of it. */
export const openParquet: OpenParquet = async (file) => {
  const [{ ParquetFile }, { tableFromIPC }] = await loadLibraries()
  const source = new FileSource(file)
  const until = <Value>(value: Promise<Value>): Promise<Value> => Promise.race([value, source.failed])
  const blob = new FileRange(source, 0, file.size) as unknown as Blob
  const parquet = await until(ParquetFile.fromFile(blob))
  const metadata = parquet.metadata()
  const groups = Array.from({ length: metadata.numRowGroups() }, (_, index) => index)
  const rows = metadata.fileMetadata().numRows()
  const { schema } = tableFromIPC(parquet.schema().intoIPCStream())

  async function* batchesOf(
    columns: readonly string[],
    rowGroup: number,
    limit: number | undefined,
  ): AsyncGenerator<ParquetBatch, void> {
    const stream = await until(
      parquet.stream({
        columns: [...columns],
        rowGroups: [rowGroup],
        batchSize: batchRows,
        ...(limit === undefined ? {} : { limit }),
      }),
    )
    const reader = stream.getReader()
    let isWhole = false
    try {
      for (;;) {
        const { done, value } = await until(reader.read())
        if (done) break
        for (const batch of tableFromIPC((value as { intoIPCStream(): Uint8Array }).intoIPCStream())
          .batches) {
          const named = batch.schema.fields.map(
            ({ name }, index) => [name, batch.data.children[index] as ColumnData] as const,
          )
          yield { rows: batch.numRows, columns: new Map(named) }
        }
      }
      isWhole = true
    } finally {
      // Not waited for: what it waits for itself may never come.
      if (!isWhole) reader.cancel().catch(() => {})
    }
  }

  return {
    rows,
    columns: schema.fields.map(({ name, type }) => ({ name, type: String(type) })),
    async *batches(columns, limit) {
      let left = limit ?? rows
      for (const group of groups) {
        if (left <= 0) return
        for await (const batch of batchesOf(columns, group, limit === undefined ? undefined : left)) {
          left -= batch.rows
          yield batch
        }
      }
    },
    close: () => parquet.free(),
  }
}
