import { StockpipeError } from '@stockpipe/core'
import { readThrift, type ThriftStruct } from './thrift-compact.ts'

/** What a footer tells about a file. */
export interface ParquetFooter {
  readonly rows: number
  readonly keyValues: ReadonlyMap<string, string>
}

const magic = 'PAR1'
/** Length of the metadata and the magic at a file's end. */
const trailerBytes = 8

/** How many bytes of a file's end are needed, told by its last ones. Throws when it is no whole Parquet file. */
export const footerLength = (tail: Uint8Array): number => {
  if (tail.length < trailerBytes || new TextDecoder().decode(tail.subarray(-4)) !== magic) {
    throw damaged('it does not end as a Parquet file does')
  }
  const view = new DataView(tail.buffer, tail.byteOffset + tail.length - trailerBytes, 4)
  return view.getUint32(0, true) + trailerBytes
}

/** A file's metadata, from its last bytes: at least `footerLength` of them. Throws where it is damaged. */
export const readFileMetaData = (tail: Uint8Array): ThriftStruct => {
  const length = footerLength(tail)
  if (length > tail.length) throw damaged('it is shorter than its footer')
  try {
    return readThrift(tail.subarray(tail.length - length, tail.length - trailerBytes))
  } catch (error) {
    throw damaged(`of its footer, ${(error as Error).message}`)
  }
}

/** Rows and key-value pairs, from the last bytes of a file, at least `footerLength` of them. */
export const readParquetFooter = (tail: Uint8Array): ParquetFooter => {
  const metadata = readFileMetaData(tail)
  const rows = integerOf(metadata, 3)
  const groupRows = structsOf(metadata, 4).reduce((sum, group) => sum + integerOf(group, 3), 0)
  if (rows !== groupRows) throw damaged('its footer contradicts itself')
  const keyValues = structsOf(metadata, 5).map((pair) => [textOf(pair, 1), textOf(pair, 2)] as const)
  return { rows, keyValues: new Map(keyValues) }
}

/** An integer of a struct. Throws where there is none. */
export const integerOf = (struct: ThriftStruct, field: number): number => {
  const value = struct.get(field)?.value
  if (typeof value !== 'number') throw damaged(`its footer has no field ${field}`)
  return value
}

/** The structs of a list of structs; none where there is no list. */
export const structsOf = (struct: ThriftStruct, field: number): ThriftStruct[] => {
  const value = struct.get(field)?.value
  if (typeof value !== 'object' || !('items' in value)) return []
  return value.items.map((item) => {
    if (item instanceof Map) return item
    throw damaged(`its footer has no structs in field ${field}`)
  })
}

/** A text of a struct; empty where there is none. */
export const textOf = (struct: ThriftStruct, field: number): string => {
  const value = struct.get(field)?.value
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : ''
}

const damaged = (why: string): StockpipeError =>
  new StockpipeError({ code: 'PARQUET_DAMAGED', message: `It is no whole Parquet file: ${why}.` })
