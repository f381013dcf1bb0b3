import { inflateSync } from 'node:zlib'
import type { AvroCursor } from './avro-cursor.ts'

/** Finds the Avro bytes of a framed value. */
export interface AvroFrameReader {
  /** The schema id of the value in `bytes[start, end)`; undefined where it has no such frame. */
  idAt(bytes: Uint8Array, start: number, end: number): string | undefined
  /** Sets the cursor to the Avro bytes of a value that has an id; a text says why not. */
  open(cursor: AvroCursor, bytes: Uint8Array, start: number, end: number): string | undefined
  /** Why a value without an id is rejected. */
  readonly missing: string
}

/** Bytes that a compressed value may become. */
const mostInflatedBytes = 64 * 1024 * 1024

/** An id that is asked for again and again, from one value to the next, is made once. */
const remembered = (length: number, idOf: (bytes: Uint8Array) => string | undefined) => {
  let known = new Uint8Array(0)
  let id: string | undefined
  return (bytes: Uint8Array, start: number): string | undefined => {
    let same = known.length === length
    for (let at = 0; same && at < length; at++) same = known[at] === bytes[start + at]
    if (same) return id
    known = bytes.slice(start, start + length)
    id = idOf(known)
    return id
  }
}

export const confluentFrames = (): AvroFrameReader => {
  const idOf = remembered(4, (bytes) => {
    const id = new DataView(bytes.buffer).getInt32(0)
    return id < 0 ? undefined : String(id)
  })
  return {
    idAt: (bytes, start, end) =>
      end - start >= 5 && bytes[start] === 0 ? idOf(bytes, start + 1) : undefined,
    open(cursor, bytes, start, end) {
      if (cursor.bytes !== bytes) cursor.open(bytes)
      cursor.begin(start + 5, end)
      return undefined
    },
    missing:
      'the value does not begin as the Confluent framing does, with 0x00 and a schema id of four bytes',
  }
}

const uuidOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, 16)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

export const glueFrames = (): AvroFrameReader => {
  const idOf = remembered(16, uuidOf)
  return {
    idAt: (bytes, start, end) =>
      end - start >= 18 && bytes[start] === 3 && (bytes[start + 1] === 0 || bytes[start + 1] === 5)
        ? idOf(bytes, start + 2)
        : undefined,
    open(cursor, bytes, start, end) {
      if (bytes[start + 1] === 0) {
        if (cursor.bytes !== bytes) cursor.open(bytes)
        cursor.begin(start + 18, end)
        return undefined
      }
      let inflated: Uint8Array
      try {
        inflated = inflateSync(bytes.subarray(start + 18, end), { maxOutputLength: mostInflatedBytes })
      } catch (error) {
        return (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
          ? `the value is more than ${mostInflatedBytes} bytes when it is inflated`
          : 'the value says that it is compressed, and what it has is no whole zlib stream'
      }
      cursor.open(inflated)
      cursor.begin(0, inflated.length)
      return undefined
    },
    missing:
      'the value does not begin as the framing of the Glue schema registry does, with 0x03, 0x00 or 0x05, and the UUID of a schema version',
  }
}
