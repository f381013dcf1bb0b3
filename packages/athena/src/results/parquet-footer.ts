import { ThriftReader, type ThriftStruct, type ThriftValue, thriftBytes } from './thrift-compact.ts'

/** A column as its file's rows have it, with what is nested in it. */
export interface ParquetRoot {
  readonly name: string
  /** Of its schema: itself, then what is nested in it. */
  readonly elements: readonly ThriftValue[]
  /** One value a row, so that its pages hold whole rows. */
  readonly isFlat: boolean
  /** Places of its chunks among those of a row group. */
  readonly chunks: readonly number[]
}

/** Where the values of one column stand. */
export interface ParquetChunk {
  readonly start: number
  readonly end: number
  readonly uncompressedBytes: number
  /** ColumnMetaData. */
  readonly metadata: ThriftStruct
}

export interface ParquetRowGroup {
  readonly rows: number
  readonly chunks: readonly ParquetChunk[]
}

/** What the end of a Parquet file says. */
export interface ParquetFooter {
  readonly rows: number
  readonly roots: readonly ParquetRoot[]
  readonly rowGroups: readonly ParquetRowGroup[]
  /** The message element of its schema. */
  readonly message: ThriftStruct
}

const magic = 'PAR1'
/** Bytes behind the metadata: their number and the magic. */
const endBytes = 8

/** How many of the last bytes of a file its footer takes. Throws an `Error` for a file that is no Parquet. */
export const footerBytes = (end: Uint8Array): number => {
  const view = Buffer.from(end.buffer, end.byteOffset, end.byteLength)
  if (view.length < endBytes + magic.length || view.toString('latin1', view.length - 4) !== magic) {
    throw new Error('it does not end as a Parquet file in the clear does')
  }
  return view.readUInt32LE(view.length - endBytes) + endBytes
}

/** @param footer the last `footerBytes` of the file, of `size` bytes in all */
export const parquetFooter = (footer: Uint8Array, size: number): ParquetFooter => {
  const file = new ThriftReader(footer).struct()
  const [message, ...elements] = list(file, 2)
  const groups = list(file, 4).map(structOf)
  return {
    rows: number(file, 3),
    message: structOf(message),
    roots: rootsOf(structOf(message), elements),
    rowGroups: groups.map((group) => ({
      rows: number(group, 3),
      chunks: list(group, 1).map((chunk) => chunkOf(structOf(chunk), size)),
    })),
  }
}

/** SchemaElement: 3 repetition, 4 name, 5 children. */
const rootsOf = (message: ThriftStruct, elements: readonly ThriftValue[]): readonly ParquetRoot[] => {
  const roots: ParquetRoot[] = []
  let at = 0
  let leaf = 0
  for (let index = 0; index < number(message, 5); index++) {
    const first = at
    const firstLeaf = leaf
    for (let open = 1; open > 0; open--) {
      const children = number(structOf(elements[at]), 5, 0)
      at += 1
      open += children
      if (children === 0) leaf += 1
    }
    const root = structOf(elements[first])
    roots.push({
      name: text(root, 4),
      elements: elements.slice(first, at),
      isFlat: at === first + 1 && number(root, 3, 0) !== 2,
      chunks: Array.from({ length: leaf - firstLeaf }, (_, chunk) => firstLeaf + chunk),
    })
  }
  return roots
}

/** ColumnChunk: 3 its metadata, of which 6 and 7 are sizes, 9 and 11 the places of data and dictionary. */
const chunkOf = (chunk: ThriftStruct, size: number): ParquetChunk => {
  const metadata = structOf(chunk.get(3))
  const data = number(metadata, 9)
  const dictionary = number(metadata, 11, 0)
  const start = dictionary > 0 && dictionary < data ? dictionary : data
  const end = start + number(metadata, 7)
  if (!(start >= magic.length && end >= start && end <= size)) {
    throw new Error(`it tells of a column in bytes ${start} to ${end} of ${size}`)
  }
  return { start, end, uncompressedBytes: number(metadata, 6), metadata }
}

/** Pages of a chunk, or a whole one. */
export interface ParquetPart {
  readonly metadata: ThriftStruct
  /** Values in it, NULL included. */
  readonly values: number
  readonly bytes: readonly Uint8Array[]
}

/** A Parquet file of some columns and one row group; without parts a file of no rows. */
export const parquetOf = (
  message: ThriftStruct,
  roots: readonly ParquetRoot[],
  rows = 0,
  parts: readonly ParquetPart[] = [],
): Uint8Array => {
  const pieces: Uint8Array[] = [Buffer.from(magic)]
  let at = magic.length
  const chunks = parts.map(({ metadata, values, bytes }) => {
    const start = at
    for (const piece of bytes) {
      pieces.push(piece)
      at += piece.length
    }
    const kept = [1, 2, 3, 4, 6].map((id) => [id, metadata.get(id)!] as const)
    return struct([
      [2, i64(start)],
      [3, struct([...kept, [5, i64(values)], [7, i64(at - start)], [9, i64(start)]])],
    ])
  })
  const group = struct([
    [1, structs(chunks)],
    [2, i64(at)],
    [3, i64(rows)],
  ])
  const root = struct([...message, [5, { type: 'i32', value: roots.length }]])
  const footer = thriftBytes(
    new Map<number, ThriftValue>([
      [1, { type: 'i32', value: 1 }],
      [2, structs([root, ...roots.flatMap(({ elements }) => elements)])],
      [3, i64(rows)],
      [4, structs(parts.length === 0 ? [] : [group])],
    ]),
  )
  const end = Buffer.alloc(endBytes, magic)
  end.writeUInt32LE(footer.length)
  return Buffer.concat([...pieces, footer, end])
}

const i64 = (value: number): ThriftValue => ({ type: 'i64', value })
const struct = (members: Iterable<readonly [number, ThriftValue]>): ThriftValue => ({
  type: 'struct',
  value: new Map(members),
})
const structs = (value: readonly ThriftValue[]): ThriftValue => ({ type: 'list', value, of: 12 })

const lacking = (id: number): Error => new Error(`its metadata lacks what stands at ${id}`)

export const structOf = (value: ThriftValue | undefined): ThriftStruct => {
  if (value?.type !== 'struct') throw new Error('its metadata lacks a part')
  return value.value
}

/** Throws an `Error` where there is none, and no number to take for it. */
export const number = (members: ThriftStruct, id: number, otherwise?: number): number => {
  const member = members.get(id)
  const value = typeof member?.value === 'number' ? member.value : otherwise
  if (value === undefined) throw lacking(id)
  return value
}

const text = (members: ThriftStruct, id: number): string => {
  const member = members.get(id)
  if (member?.type !== 'binary') throw lacking(id)
  return Buffer.from(member.value).toString('utf8')
}

const list = (members: ThriftStruct, id: number): readonly ThriftValue[] => {
  const member = members.get(id)
  if (member?.type !== 'list') throw lacking(id)
  return member.value
}
