import { ByteWriter } from './byte-writer.ts'
import type { ColumnLeaf, LeafValues } from './column-leaf.ts'
import type { PageCompressor } from './parquet-compression.ts'
import { bitWidth, writeRle, writeRun } from './rle-encoding.ts'
import { ThriftWriter } from './thrift-writer.ts'
import { mergeBounds, type ValueBounds } from './value-order.ts'

/** Rows of a data page at most, so that a page index leads readers to few rows. */
const pageRows = 20_000
/** Values of a data page at most, in bytes, but for the last of them. */
const pageBytes = 1024 * 1024

/** Encodings by their number. */
export const encodings = { plain: 0, rle: 3, rleDictionary: 8 } as const

/** A data page, by where it is in its row group. */
export interface EncodedPage {
  readonly at: number
  /** With its header. */
  readonly bytes: number
  readonly firstRow: number
  readonly nulls: number
  /** Undefined where all values are null, or none has an order. */
  readonly bounds: ValueBounds | undefined
  /** No value is there. */
  readonly isNull: boolean
}

/** What the footer tells of a column chunk, by where it is in its row group. */
export interface EncodedChunk {
  readonly codec: number
  readonly hasDictionary: boolean
  readonly dictionaryAt: number
  readonly values: number
  readonly nulls: number
  readonly bytes: number
  readonly uncompressedBytes: number
  readonly bounds: ValueBounds | undefined
  readonly pages: readonly EncodedPage[]
}

const scratch = { page: new ByteWriter(), packed: new ByteWriter() }

/** Memory kept for the next page. */
export const pageMemoryBytes = (): number => scratch.page.bytes.length + scratch.packed.bytes.length

/** Appends a column chunk to the bytes of its row group. */
export const encodeChunk = (
  leaf: ColumnLeaf,
  leafValues: LeafValues,
  compressor: PageCompressor,
  target: ByteWriter,
): EncodedChunk => {
  const { values, definitionLevels, repetitionLevels, count } = leafValues
  const begin = target.length
  const dictionary = values.dictionary()
  let uncompressedBytes = 0
  if (dictionary !== undefined) {
    const { entries } = dictionary
    const { page } = scratch
    page.clear()
    entries.writePlain(0, entries.length, page)
    uncompressedBytes += writePage(
      compressor,
      target,
      (thrift) => {
        thrift.struct(7)
        thrift.int32(1, entries.length)
        thrift.int32(2, encodings.plain)
        thrift.end()
      },
      2,
    )
  }
  const pages: EncodedPage[] = []
  let [row, level, value] = [0, 0, 0]
  while (level < count) {
    const end = pageEnd(leaf, leafValues, level, value, dictionary !== undefined)
    const { page } = scratch
    page.clear()
    if (leaf.maxRepetitionLevel > 0)
      writeLevels(repetitionLevels, 0, level, end.level, leaf.maxRepetitionLevel, page)
    if (leaf.maxDefinitionLevel > 0)
      writeLevels(definitionLevels, leaf.maxDefinitionLevel, level, end.level, leaf.maxDefinitionLevel, page)
    if (dictionary === undefined) values.writePlain(value, end.value, page)
    else {
      const width = Math.max(1, bitWidth(dictionary.entries.length - 1))
      page.byte(width)
      writeRle(dictionary.codes, value, end.value, width, page)
    }
    const at = target.length
    uncompressedBytes += writePage(
      compressor,
      target,
      (thrift) => {
        thrift.struct(5)
        thrift.int32(1, end.level - level)
        thrift.int32(2, dictionary === undefined ? encodings.plain : encodings.rleDictionary)
        thrift.int32(3, encodings.rle)
        thrift.int32(4, encodings.rle)
        thrift.end()
      },
      0,
    )
    pages.push({
      at,
      bytes: target.length - at,
      firstRow: row,
      nulls: end.level - level - (end.value - value),
      bounds: end.value > value ? values.bounds(value, end.value) : undefined,
      isNull: end.value === value,
    })
    row += end.rows
    level = end.level
    value = end.value
  }
  return {
    codec: compressor.codec,
    hasDictionary: dictionary !== undefined,
    dictionaryAt: begin,
    values: count,
    nulls: count - values.length,
    bytes: target.length - begin,
    uncompressedBytes,
    // A page without bounds that has values leaves the chunk without them too.
    bounds: pages.some(({ bounds, isNull }) => bounds === undefined && !isNull)
      ? undefined
      : mergeBounds(
          leaf.order,
          pages.map(({ bounds }) => bounds),
        ),
    pages,
  }
}

/** Where the page that begins at a level ends: at a row's end, after `pageRows` rows or about `pageBytes`. */
const pageEnd = (
  { maxDefinitionLevel }: ColumnLeaf,
  { count, definitionLevels, repetitionLevels, values }: LeafValues,
  level: number,
  value: number,
  hasDictionary: boolean,
): { readonly level: number; readonly value: number; readonly rows: number } => {
  if (definitionLevels === null && repetitionLevels === null) {
    const most = Math.min(count, level + pageRows)
    const end = hasDictionary ? most : values.plainEnd(value, most, pageBytes)
    return { level: end, value: end, rows: end - level }
  }
  const mostValues = hasDictionary ? values.length : values.plainEnd(value, values.length, pageBytes)
  let [at, present, rows] = [level, value, 0]
  for (; at < count; at += 1) {
    if (repetitionLevels === null || repetitionLevels[at] === 0) {
      if (rows === pageRows || (rows > 0 && present >= mostValues && mostValues < values.length)) break
      rows += 1
    }
    if (definitionLevels === null || definitionLevels[at] === maxDefinitionLevel) present += 1
  }
  return { level: at, value: present, rows }
}

const writeLevels = (
  levels: Uint8Array | null,
  otherwise: number,
  from: number,
  to: number,
  greatest: number,
  target: ByteWriter,
): void => {
  const begin = target.length
  target.uint32(0)
  if (levels === null) writeRun(otherwise, to - from, bitWidth(greatest), target)
  else writeRle(levels, from, to, bitWidth(greatest), target)
  target.setUint32(begin, target.length - begin - 4)
}

/** Compresses the page in `scratch` and appends it under its header; answers its bytes before that, with the header. */
const writePage = (
  compressor: PageCompressor,
  target: ByteWriter,
  header: (thrift: ThriftWriter) => void,
  type: number,
): number => {
  const { page, packed } = scratch
  packed.clear()
  compressor.compress(page.bytes, page.length, packed)
  const begin = target.length
  const thrift = new ThriftWriter(target)
  thrift.begin()
  thrift.int32(1, type)
  thrift.int32(2, page.length)
  thrift.int32(3, packed.length)
  header(thrift)
  thrift.end()
  const headerBytes = target.length - begin
  target.append(packed.bytes.subarray(0, packed.length))
  return headerBytes + page.length
}
