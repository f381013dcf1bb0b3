import { StockpipeError } from '@stockpipe/core'

/** A frame whose bytes do not follow the protocol; its connection is closed. */
export class MalformedFrameError extends StockpipeError {
  override readonly name = 'MalformedFrameError'

  constructor(message: string) {
    super({ code: 'MALFORMED_FRAME', message })
  }
}

/** Reads an int64 as a number; what lies beyond 2^53 is clamped, as no offset or timestamp gets there. */
export const readInt64 = (buffer: Buffer, position: number): number => {
  const value = buffer.readInt32BE(position) * 4294967296 + buffer.readUInt32BE(position + 4)
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
}

/** Writes a safe integer as int64. */
export const writeInt64 = (buffer: Buffer, value: number, position: number): void => {
  const high = Math.floor(value / 4294967296)
  buffer.writeInt32BE(high, position)
  buffer.writeUInt32BE(value - high * 4294967296, position + 4)
}

/** A cursor over one request frame; every read beyond the end throws MalformedFrameError. */
export class WireReader {
  readonly #buffer: Buffer
  #position = 0
  /** Whether the version read is a flexible one: compact lengths, and tagged fields behind every structure. */
  isFlexible = false

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  get remaining(): number {
    return this.#buffer.length - this.#position
  }

  int8(): number {
    return this.#buffer.readInt8(this.#advance(1))
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#advance(2))
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#advance(4))
  }

  int64(): number {
    return readInt64(this.#buffer, this.#advance(8))
  }

  /** The bytes are a view of the frame, not a copy. */
  fixedBytes(byteCount: number): Buffer {
    const start = this.#advance(byteCount)
    return this.#buffer.subarray(start, start + byteCount)
  }

  nullableString(): string | null {
    const length = this.isFlexible ? this.#compactLength() : this.int16()
    if (length === -1) return null
    const start = this.#advance(length)
    return this.#buffer.toString('utf8', start, start + length)
  }

  /** The bytes are a view of the frame, not a copy. */
  nullableBytes(): Buffer | null {
    const length = this.isFlexible ? this.#compactLength() : this.int32()
    if (length === -1) return null
    const start = this.#advance(length)
    return this.#buffer.subarray(start, start + length)
  }

  /** The length of an array, or -1 for null; refused when the frame could not hold so many elements. */
  arrayLength(): number {
    const length = this.isFlexible ? this.#compactLength() : this.int32()
    if (length < -1 || length > this.remaining) {
      throw new MalformedFrameError(`An array of ${length} elements does not fit into its frame.`)
    }
    return length
  }

  /** Steps over the tagged fields of a flexible version: none is known. */
  skipTaggedFields(): void {
    if (!this.isFlexible) return
    for (let count = this.#unsignedVarint(); count > 0; count--) {
      this.#unsignedVarint()
      this.#advance(this.#unsignedVarint())
    }
  }

  #compactLength(): number {
    return this.#unsignedVarint() - 1
  }

  #unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.int8()
      value += (byte & 0x7f) * 2 ** shift
      if ((byte & 0x80) === 0) return value
    }
    throw new MalformedFrameError('A length of more than five bytes does not fit into its frame.')
  }

  #advance(byteCount: number): number {
    if (byteCount < 0 || byteCount > this.remaining) {
      throw new MalformedFrameError(`A field of ${byteCount} bytes does not fit into its frame.`)
    }
    const start = this.#position
    this.#position += byteCount
    return start
  }
}
