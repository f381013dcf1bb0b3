import { StockpipeError } from '@stockpipe/core'

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

/** Reads the footer from the last bytes of a file, at least `footerLength` of them. */
export const readParquetFooter = (tail: Uint8Array): ParquetFooter => {
  const length = footerLength(tail)
  if (length > tail.length) throw damaged('it is shorter than its footer')
  return readFileMetaData(new CompactReader(tail.subarray(tail.length - length, tail.length - trailerBytes)))
}

const readFileMetaData = (reader: CompactReader): ParquetFooter => {
  let rows: number | undefined
  let groupRows = 0
  const keyValues = new Map<string, string>()
  reader.struct((field, type) => {
    if (field === 3) rows = reader.integer()
    else if (field === 4) {
      reader.list(() =>
        reader.struct((member, memberType) => {
          if (member === 3) groupRows += reader.integer()
          else reader.skip(memberType)
        }),
      )
    } else if (field === 5) {
      reader.list(() => {
        let key = ''
        let value = ''
        reader.struct((member, memberType) => {
          if (member === 1) key = reader.text()
          else if (member === 2) value = reader.text()
          else reader.skip(memberType)
        })
        keyValues.set(key, value)
      })
    } else reader.skip(type)
  })
  if (rows === undefined || rows !== groupRows) throw damaged('its footer contradicts itself')
  return { rows, keyValues }
}

const damaged = (why: string): StockpipeError =>
  new StockpipeError({ code: 'PARQUET_DAMAGED', message: `It is no whole Parquet file: ${why}.` })

/** As much of Thrift's compact protocol as a footer needs. */
class CompactReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  struct(readField: (field: number, type: number) => void): void {
    let field = 0
    for (let header = this.#byte(); header !== 0; header = this.#byte()) {
      const delta = header >> 4
      field = delta === 0 ? this.integer() : field + delta
      readField(field, header & 15)
    }
  }

  list(readElement: (type: number) => void): void {
    const header = this.#byte()
    const count = header >> 4 === 15 ? this.#varint() : header >> 4
    for (let index = 0; index < count; index += 1) readElement(header & 15)
  }

  /** A zigzag integer; exact up to 2^53. */
  integer(): number {
    const raw = this.#varint()
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }

  text(): string {
    const length = this.#varint()
    return new TextDecoder().decode(this.#take(length))
  }

  skip(type: number): void {
    if (type === 1 || type === 2) return
    if (type === 3) this.#take(1)
    else if (type >= 4 && type <= 6) this.#varint()
    else if (type === 7) this.#take(8)
    else if (type === 8) this.#take(this.#varint())
    else if (type === 9 || type === 10) this.list((element) => this.#skipElement(element))
    else if (type === 12) this.struct((_, member) => this.skip(member))
    else throw damaged(`its footer has a field of type ${type}`)
  }

  /** Booleans take a byte in a list, and none in a struct. */
  #skipElement(type: number): void {
    if (type === 1 || type === 2) this.#take(1)
    else this.skip(type)
  }

  #varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  #byte(): number {
    return this.#take(1)[0]!
  }

  #take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw damaged('its footer ends too soon')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}
