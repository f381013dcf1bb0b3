import type { OpenedParquet, OpenParquet, ParquetBatch, RangedFile } from './column-data.ts'
import { loadPeer } from './optional-peer.ts'
import { type ColumnCut, columnReader, type ReadRange } from './parquet-column.ts'
import {
  footerBytes,
  type ParquetFooter,
  type ParquetRoot,
  type ParquetRowGroup,
  parquetFooter,
  parquetOf,
} from './parquet-footer.ts'

/** Rows of a batch: few enough to be held, many enough that a batch costs little. */
const batchRows = 8192
/** Read of the end of a file at once: most footers are within. */
const tailBytes = 64 * 1024
/** Columns of a row group are read at once where they stand near one another and are no more than so much. */
const gapBytes = 64 * 1024
const togetherBytes = 8 * 1024 * 1024
/** Of larger row groups so much is read ahead of all columns, and of each at least so much. */
const aheadBytes = 8 * 1024 * 1024
const leastAheadBytes = 256 * 1024
/** What is decoded at once: rows of about so many bytes in the file before compression, and so many batches at most. */
const windowBytes = 4 * 1024 * 1024
const windowBatches = 4

const what = 'The resultPath unload'
const loadLibraries = () =>
  Promise.all([
    loadPeer('parquet-wasm', what, () => import('parquet-wasm')),
    loadPeer('apache-arrow', what, () => import('apache-arrow')),
  ])
type Libraries = Awaited<ReturnType<typeof loadLibraries>>

/** Whether the libraries that read Parquet are installed. */
export const canReadParquet = (): Promise<boolean> =>
  loadLibraries().then(
    () => true,
    () => false,
  )

/**
 * Opens a Parquet file; only what is asked for is read of it. It is decoded by parquet-wasm, which would hold whole row
 * groups of a whole file and end with the process at a page that is none: it is given small files of some pages of a column
 * each, at once, so that it throws.
 */
export const openParquet: OpenParquet = async (file) => {
  const libraries = await loadLibraries()
  const [{ readSchema }, { tableFromIPC }] = libraries
  const source = await tailed(file)
  const footer = parquetFooter(source.footer, file.size)
  const { roots, rowGroups, message, rows } = footer
  const { fields } = tableFromIPC(readSchema(parquetOf(message, roots)).intoIPCStream()).schema
  return {
    rows,
    columns: fields.map(({ name, type }) => ({ name, type: String(type) })),
    async *batches(names, limit = rows) {
      if (names.length === 0) return
      const wanted = names.map((name) => rootOf(footer, name))
      let left = limit
      for (const group of rowGroups) {
        if (left <= 0) return
        const some = Math.min(left, group.rows)
        yield* batchesOf(libraries, source, footer, wanted, group, some)
        left -= some
      }
    },
  } satisfies OpenedParquet
}

const rootOf = ({ roots }: ParquetFooter, name: string): ParquetRoot => {
  const root = roots.find((one) => one.name === name)
  if (!root) throw new Error(`it has no column '${name}'`)
  return root
}

/** A file whose end is there. */
interface TailedFile extends RangedFile {
  readonly footer: Uint8Array
}

const tailed = async (file: RangedFile): Promise<TailedFile> => {
  const { size } = file
  const start = Math.max(0, size - tailBytes)
  const tail = await file.read(start, size)
  const bytes = footerBytes(tail)
  if (bytes > size) throw new Error(`its footer would be of ${bytes} bytes`)
  const footer = bytes > tail.length ? await file.read(size - bytes, size) : tail.subarray(-bytes)
  const read = async (from: number, to: number) =>
    from >= start ? tail.subarray(from - start, to - start) : file.read(from, to)
  return { size, footer, read }
}

/** The first rows of a row group: what is read ahead of its columns is held, and what of them is decoded at a time. */
async function* batchesOf(
  libraries: Libraries,
  source: TailedFile,
  footer: ParquetFooter,
  wanted: readonly ParquetRoot[],
  group: ParquetRowGroup,
  rows: number,
): AsyncGenerator<ParquetBatch, void> {
  const read = await groupReader(source, wanted, group)
  const ahead = Math.max(leastAheadBytes, Math.floor(aheadBytes / wanted.length))
  const columns = wanted.map((root) => ({ root, reader: columnReader(root, group, read, ahead) }))
  const least = await Promise.all(columns.map(({ reader }) => reader.leastBytes()))
  const perWindow = windowRows(wanted, group, Math.max(...least))
  for (let start = 0; start < rows; start += perWindow) {
    const end = Math.min(start + perWindow, rows)
    const cuts = await Promise.all(columns.map(({ reader }) => reader.cut(start, end)))
    const decoded = wanted.map((root, at) => decode(libraries, footer, root, cuts[at]!, end - start))
    for (const [index, { length }] of decoded[0]!.entries()) {
      const named = wanted.map(({ name }, at) => [name, decoded[at]![index]!] as const)
      yield { rows: length, columns: new Map(named) }
    }
  }
}

/** @param leastBytes of the columns before compression, below which a window costs no less */
const windowRows = (
  wanted: readonly ParquetRoot[],
  { rows, chunks }: ParquetRowGroup,
  leastBytes: number,
): number => {
  const bytes = Math.max(windowBytes, leastBytes)
  const places = wanted.flatMap((root) => root.chunks)
  const all = places.reduce((sum, place) => sum + chunks[place]!.uncompressedBytes, 0)
  const batches = Math.min((rows * bytes) / all / batchRows, (windowBatches * bytes) / windowBytes)
  return batchRows * Math.max(1, Math.ceil(batches))
}

/** Values of a column, batch by batch. */
const decode = (
  [{ readParquet }, { tableFromIPC }]: Libraries,
  { message }: ParquetFooter,
  root: ParquetRoot,
  { parts, rows, offset }: ColumnCut,
  wanted: number,
) => {
  const options = { batchSize: batchRows, offset, limit: wanted }
  const table = readParquet(parquetOf(message, [root], rows, parts), options)
  const batches = tableFromIPC(table.intoIPCStream()).batches.map(({ data }) => data.children[0]!)
  const found = batches.reduce((sum, { length }) => sum + length, 0)
  if (found !== wanted) throw new Error(`column '${root.name}' has ${found} rows of ${wanted}`)
  return batches
}

/** Reads the columns of a small row group at once, where they stand together. */
const groupReader = async (
  source: TailedFile,
  wanted: readonly ParquetRoot[],
  { chunks }: ParquetRowGroup,
): Promise<ReadRange> => {
  const places = wanted.flatMap((root) => root.chunks.map((place) => chunks[place]!))
  const bytes = places.reduce((sum, { start, end }) => sum + end - start, 0)
  if (bytes > togetherBytes) return source.read
  const ranges: { readonly start: number; end: number }[] = []
  for (const { start, end } of places.sort((left, right) => left.start - right.start)) {
    const last = ranges.at(-1)
    if (last && start - last.end <= gapBytes) last.end = Math.max(last.end, end)
    else ranges.push({ start, end })
  }
  const held = await Promise.all(
    ranges.map(async ({ start, end }) => ({ start, end, bytes: await source.read(start, end) })),
  )
  return async (start, end) => {
    const range = held.find((one) => one.start <= start && end <= one.end)
    return range ? range.bytes.subarray(start - range.start, end - range.start) : source.read(start, end)
  }
}
