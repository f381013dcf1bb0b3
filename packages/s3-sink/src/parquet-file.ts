import type { ColumnDefinition } from '@stockpipe/core'
import { type EncodedChunk, type EncodedPage, encodings } from './column-chunk.ts'
import type { ColumnLeaf } from './column-leaf.ts'
import type { RowGroupMetadata } from './parquet-encoder.ts'
import { physicalTypes, writeSchema } from './parquet-schema.ts'
import { ThriftWriter, thriftElements } from './thrift-writer.ts'
import { compareBounds, type ValueOrder } from './value-order.ts'

/** What a file begins with, and ends with. */
export const parquetMagic = new TextEncoder().encode('PAR1')
declare const __PACKAGE_VERSION__: string
const createdBy = `stockpipe version ${typeof __PACKAGE_VERSION__ === 'undefined' ? '0.0.0' : __PACKAGE_VERSION__}`
const noBytes = new Uint8Array()

/** What the end of a file is made from. */
export interface ParquetFooterParts {
  readonly columns: readonly ColumnDefinition[]
  readonly leaves: readonly ColumnLeaf[]
  readonly rowGroups: readonly RowGroupMetadata[]
  readonly keyValues: ReadonlyMap<string, string>
  /** What the rows of each row group are sorted by, foremost first. */
  readonly sorting: readonly SortingColumn[]
}

interface SortingColumn {
  readonly leaf: number
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** Where an index of a column chunk's pages is in the file. */
interface Place {
  readonly at: number
  readonly bytes: number
}

/**
 * What a Parquet file has after its row groups, which come one after another behind `parquetMagic`: the column indexes
 * and offset indexes of their pages, and the footer. In pieces.
 */
export const parquetFooter = ({
  columns,
  leaves,
  rowGroups,
  keyValues,
  sorting,
}: ParquetFooterParts): readonly Uint8Array[] => {
  const pieces: Uint8Array[] = []
  let length = parquetMagic.length
  const push = (piece: Uint8Array): Place => {
    const place = { at: length, bytes: piece.length }
    pieces.push(piece)
    length += piece.length
    return place
  }
  const starts = rowGroups.map(({ byteLength }) => {
    const start = length
    length += byteLength
    return start
  })
  const columnIndexes = rowGroups.map(({ chunks }) =>
    chunks.map((chunk, leaf) => {
      const index = columnIndex(chunk, leaves[leaf]!.order)
      return index && push(index)
    }),
  )
  const offsetIndexes = rowGroups.map(({ chunks }, group) =>
    chunks.map((chunk) => push(offsetIndex(chunk, starts[group]!))),
  )
  const thrift = new ThriftWriter()
  thrift.begin()
  thrift.int32(1, 1)
  writeSchema(thrift, 2, columns)
  thrift.int64(
    3,
    rowGroups.reduce((rows, group) => rows + group.rows, 0),
  )
  thrift.list(4, thriftElements.struct, rowGroups.length)
  for (const [group, rowGroup] of rowGroups.entries()) {
    writeRowGroup(thrift, rowGroup, {
      leaves,
      ordinal: group,
      sorting,
      start: starts[group]!,
      columnIndexes: columnIndexes[group]!,
      offsetIndexes: offsetIndexes[group]!,
    })
  }
  thrift.list(5, thriftElements.struct, keyValues.size)
  for (const [key, value] of keyValues) {
    thrift.begin()
    thrift.text(1, key)
    thrift.text(2, value)
    thrift.end()
  }
  thrift.text(6, createdBy)
  // Statistics count only where the order of each column is said to be that of its type.
  thrift.list(7, thriftElements.struct, leaves.length)
  for (const _ of leaves) {
    thrift.begin()
    thrift.emptyStruct(1)
    thrift.end()
  }
  thrift.end()
  const footer = push(thrift.toBytes())
  const trailer = new Uint8Array(4 + parquetMagic.length)
  new DataView(trailer.buffer).setUint32(0, footer.bytes, true)
  trailer.set(parquetMagic, 4)
  push(trailer)
  return pieces
}

/** What the indexes and the footer of a file take for a row group, about. */
export const rowGroupFooterBytes = ({ chunks }: RowGroupMetadata): number => {
  let bytes = 24
  for (const { bounds, pages } of chunks) {
    bytes += 90 + 2 * ((bounds?.min.length ?? 0) + (bounds?.max.length ?? 0))
    for (const page of pages) bytes += 24 + (page.bounds?.min.length ?? 0) + (page.bounds?.max.length ?? 0)
  }
  return bytes
}

const writeRowGroup = (
  thrift: ThriftWriter,
  { chunks, rows, byteLength }: RowGroupMetadata,
  where: {
    readonly leaves: readonly ColumnLeaf[]
    readonly ordinal: number
    readonly sorting: readonly SortingColumn[]
    readonly start: number
    readonly columnIndexes: readonly (Place | undefined)[]
    readonly offsetIndexes: readonly Place[]
  },
): void => {
  thrift.begin()
  thrift.list(1, thriftElements.struct, chunks.length)
  for (const [index, chunk] of chunks.entries()) {
    const offsets = where.offsetIndexes[index]!
    const bounds = where.columnIndexes[index]
    thrift.begin()
    thrift.int64(2, 0)
    thrift.struct(3)
    writeChunk(thrift, chunk, where.leaves[index]!, where.start)
    thrift.end()
    thrift.int64(4, offsets.at)
    thrift.int32(5, offsets.bytes)
    if (bounds) {
      thrift.int64(6, bounds.at)
      thrift.int32(7, bounds.bytes)
    }
    thrift.end()
  }
  thrift.int64(
    2,
    chunks.reduce((sum, chunk) => sum + chunk.uncompressedBytes, 0),
  )
  thrift.int64(3, rows)
  if (where.sorting.length > 0) {
    thrift.list(4, thriftElements.struct, where.sorting.length)
    for (const { leaf, descending, nullsFirst } of where.sorting) {
      thrift.begin()
      thrift.int32(1, leaf)
      thrift.boolean(2, descending)
      thrift.boolean(3, nullsFirst)
      thrift.end()
    }
  }
  thrift.int64(5, where.start)
  thrift.int64(6, byteLength)
  thrift.int16(7, where.ordinal)
  thrift.end()
}

const writeChunk = (thrift: ThriftWriter, chunk: EncodedChunk, leaf: ColumnLeaf, start: number): void => {
  const { pages, bounds } = chunk
  const used = chunk.hasDictionary
    ? [encodings.plain, encodings.rle, encodings.rleDictionary]
    : [encodings.plain, encodings.rle]
  thrift.int32(1, physicalTypes[leaf.order])
  thrift.list(2, thriftElements.integer, used.length)
  for (const encoding of used) thrift.integer(encoding)
  thrift.list(3, thriftElements.binary, leaf.path.length)
  for (const name of leaf.path) thrift.bytes(new TextEncoder().encode(name))
  thrift.int32(4, chunk.codec)
  thrift.int64(5, chunk.values)
  thrift.int64(6, chunk.uncompressedBytes)
  thrift.int64(7, chunk.bytes)
  thrift.int64(9, start + pages[0]!.at)
  if (chunk.hasDictionary) thrift.int64(11, start + chunk.dictionaryAt)
  thrift.struct(12)
  thrift.int64(3, chunk.nulls)
  if (bounds) {
    thrift.binary(5, bounds.max)
    thrift.binary(6, bounds.min)
  }
  thrift.end()
  const kinds = chunk.hasDictionary
    ? [
        [2, encodings.plain, 1],
        [0, encodings.rleDictionary, pages.length],
      ]
    : [[0, encodings.plain, pages.length]]
  thrift.list(13, thriftElements.struct, kinds.length)
  for (const [type, encoding, count] of kinds) {
    thrift.begin()
    thrift.int32(1, type!)
    thrift.int32(2, encoding!)
    thrift.int32(3, count!)
    thrift.end()
  }
}

/** Undefined where a page has values and no bounds: readers would take it for empty. */
const columnIndex = ({ pages }: EncodedChunk, order: ValueOrder): Uint8Array | undefined => {
  if (pages.some(({ bounds, isNull }) => bounds === undefined && !isNull)) return undefined
  const thrift = new ThriftWriter()
  thrift.begin()
  thrift.list(1, thriftElements.boolean, pages.length)
  for (const { isNull } of pages) thrift.flag(isNull)
  thrift.list(2, thriftElements.binary, pages.length)
  for (const { bounds } of pages) thrift.bytes(bounds?.min ?? noBytes)
  thrift.list(3, thriftElements.binary, pages.length)
  for (const { bounds } of pages) thrift.bytes(bounds?.max ?? noBytes)
  thrift.int32(4, boundaryOrder(pages, order))
  thrift.list(5, thriftElements.long, pages.length)
  for (const { nulls } of pages) thrift.integer(nulls)
  thrift.end()
  return thrift.toBytes()
}

/** 1 where both bounds ascend from page to page, 2 where they descend, else 0. */
const boundaryOrder = (pages: readonly EncodedPage[], order: ValueOrder): 0 | 1 | 2 => {
  const bounds = pages.flatMap((page) => page.bounds ?? [])
  const goes = (sign: 1 | -1) =>
    bounds.every((one, index) => {
      const before = bounds[index - 1]
      return (
        before === undefined ||
        (sign * compareBounds(order, before.min, one.min) <= 0 &&
          sign * compareBounds(order, before.max, one.max) <= 0)
      )
    })
  if (goes(1)) return 1
  return goes(-1) ? 2 : 0
}

const offsetIndex = ({ pages }: EncodedChunk, start: number): Uint8Array => {
  const thrift = new ThriftWriter()
  thrift.begin()
  thrift.list(1, thriftElements.struct, pages.length)
  for (const page of pages) {
    thrift.begin()
    thrift.int64(1, start + page.at)
    thrift.int32(2, page.bytes)
    thrift.int64(3, page.firstRow)
    thrift.end()
  }
  thrift.end()
  return thrift.toBytes()
}
