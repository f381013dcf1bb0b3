import { integerOf, readFileMetaData, structsOf, textOf } from './parquet-footer.ts'
import {
  readThrift,
  type ThriftStruct,
  thriftInteger,
  thriftStructs,
  thriftText,
  writeThrift,
} from './thrift-compact.ts'

const magic = new TextEncoder().encode('PAR1')
/** Kept from the encoder: readers of Arrow take the types from it. */
const arrowSchemaKey = 'ARROW:schema'

/**
 * One Parquet file with the row groups of several of the same schema, in their order. The pages are taken as they
 * are; what points at them (column chunks and page indexes) is moved, and the key-value pairs are made anew.
 *
 * Answers the file in pieces, which share memory with what was given.
 */
export const joinParquet = (
  files: readonly Uint8Array[],
  keyValues: ReadonlyMap<string, string>,
): readonly Uint8Array[] => {
  const pages: Uint8Array[] = [magic]
  const groups: { readonly group: ThriftStruct; readonly file: Uint8Array; readonly moved: number }[] = []
  const metadata = readFileMetaData(files[0]!)
  let length = magic.length
  for (const [index, file] of files.entries()) {
    const own = index === 0 ? metadata : readFileMetaData(file)
    const end = pagesEnd(own)
    for (const group of structsOf(own, 4)) groups.push({ group, file, moved: length - magic.length })
    pages.push(file.subarray(magic.length, end))
    length += end - magic.length
  }
  const indexes = new PageIndexes(length)
  for (const { group, file, moved } of groups) {
    moveGroup(group, moved)
    for (const chunk of structsOf(group, 1)) indexes.take(chunk, file, moved)
  }
  groups.forEach(({ group }, ordinal) => {
    if (group.has(7)) group.set(7, { ...group.get(7)!, value: ordinal })
  })
  metadata.set(3, thriftInteger(groups.reduce((rows, { group }) => rows + integerOf(group, 3), 0)))
  metadata.set(4, thriftStructs(groups.map(({ group }) => group)))
  metadata.set(5, thriftStructs(pairs(metadata, keyValues)))
  const placed = indexes.finish()
  const footer = writeThrift(sorted(metadata))
  const trailer = new Uint8Array(4 + magic.length)
  new DataView(trailer.buffer).setUint32(0, footer.length, true)
  trailer.set(magic, 4)
  return [...pages, ...placed, footer, trailer]
}

/** Where the last column chunk ends: page indexes and the footer follow. */
const pagesEnd = (metadata: ThriftStruct): number => {
  let end = magic.length
  for (const group of structsOf(metadata, 4)) {
    for (const chunk of structsOf(group, 1)) {
      const column = chunk.get(3)!.value as ThriftStruct
      const begin = column.has(11) ? integerOf(column, 11) : integerOf(column, 9)
      end = Math.max(end, begin + integerOf(column, 7))
    }
  }
  return end
}

const move = (struct: ThriftStruct, field: number, moved: number): void => {
  const at = struct.get(field)
  // Zero stands for "nowhere" in the fields that readers are told to ignore.
  if (typeof at?.value === 'number' && at.value > 0) struct.set(field, { ...at, value: at.value + moved })
}

const moveGroup = (group: ThriftStruct, moved: number): void => {
  move(group, 5, moved)
  for (const chunk of structsOf(group, 1)) {
    move(chunk, 2, moved)
    const column = chunk.get(3)!.value as ThriftStruct
    for (const field of [9, 10, 11]) move(column, field, moved)
    // Bloom filters are not written; a chunk that names one would name a place that is gone.
    column.delete(14)
    column.delete(15)
  }
}

/** The page indexes of all column chunks: first the column indexes, then the offset indexes, as writers do. */
class PageIndexes {
  readonly #columnIndexes: { readonly chunk: ThriftStruct; readonly bytes: Uint8Array }[] = []
  readonly #offsetIndexes: { readonly chunk: ThriftStruct; readonly bytes: Uint8Array }[] = []
  #length: number

  /** @param length of the file before them */
  constructor(length: number) {
    this.#length = length
  }

  take(chunk: ThriftStruct, file: Uint8Array, moved: number): void {
    if (chunk.has(6) && chunk.has(7)) {
      const begin = integerOf(chunk, 6)
      this.#columnIndexes.push({ chunk, bytes: file.subarray(begin, begin + integerOf(chunk, 7)) })
    }
    if (chunk.has(4) && chunk.has(5)) {
      const begin = integerOf(chunk, 4)
      const index = readThrift(file.subarray(begin, begin + integerOf(chunk, 5)))
      for (const page of structsOf(index, 1)) move(page, 1, moved)
      this.#offsetIndexes.push({ chunk, bytes: writeThrift(index) })
    }
  }

  finish(): Uint8Array[] {
    for (const { chunk, bytes } of this.#columnIndexes) this.#place(chunk, 6, 7, bytes)
    for (const { chunk, bytes } of this.#offsetIndexes) this.#place(chunk, 4, 5, bytes)
    return [...this.#columnIndexes, ...this.#offsetIndexes].map(({ bytes }) => bytes)
  }

  #place(chunk: ThriftStruct, at: number, size: number, bytes: Uint8Array): void {
    chunk.set(at, { ...chunk.get(at)!, value: this.#length })
    chunk.set(size, { ...chunk.get(size)!, value: bytes.length })
    this.#length += bytes.length
  }
}

const pairs = (metadata: ThriftStruct, keyValues: ReadonlyMap<string, string>): ThriftStruct[] => {
  const kept = structsOf(metadata, 5).filter((pair) => textOf(pair, 1) === arrowSchemaKey)
  const own = [...keyValues].map(
    ([key, value]): ThriftStruct =>
      new Map([
        [1, thriftText(key)],
        [2, thriftText(value)],
      ]),
  )
  return [...own, ...kept]
}

const sorted = (struct: ThriftStruct): ThriftStruct =>
  new Map([...struct].sort(([left], [right]) => left - right))
