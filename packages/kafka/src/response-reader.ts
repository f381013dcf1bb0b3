import { blockMemory } from '@stockpipe/core'

const sizeBytes = 4
/** Below this a response is read beside others, and its memory left to the garbage collector. */
const largeBytes = 64 * 1024
/** What a response is believed to have before it comes. */
const credibleBytes = 16 * 1024 * 1024

/**
 * Puts the bytes of a connection together to whole responses, each with its size before it: large ones are read to
 * where they stay, from `blockMemory`.
 */
export class ResponseReader {
  readonly #whole: (response: Buffer) => void
  readonly #shared = Buffer.allocUnsafeSlow(largeBytes)
  readonly #size = Buffer.alloc(sizeBytes)
  #sizeRead = 0
  #response: Buffer | undefined
  /** Bytes of the response that are read, and that it has. */
  #read = 0
  #total = 0
  #isDirect = false

  constructor(whole: (response: Buffer) => void) {
    this.#whole = whole
  }

  /** Where the next bytes are to be written. */
  room(): Buffer {
    const response = this.#response
    this.#isDirect = response !== undefined && this.#total - this.#read >= largeBytes
    if (!response || !this.#isDirect) return this.#shared
    return this.#fitting(response, this.#read + largeBytes).subarray(this.#read, this.#total)
  }

  /** So many bytes were written there. */
  written(bytes: number): void {
    if (this.#isDirect) this.#advance(this.#response!, bytes)
    else this.#split(this.#shared.subarray(0, bytes))
  }

  #split(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#response === undefined) {
        const part = bytes.copy(this.#size, this.#sizeRead, at)
        at += part
        this.#sizeRead += part
        if (this.#sizeRead === sizeBytes) this.#begin(sizeBytes + Math.max(0, this.#size.readInt32BE()))
      } else {
        const part = Math.min(bytes.length - at, this.#total - this.#read)
        this.#response = this.#fitting(this.#response, this.#read + part)
        bytes.copy(this.#response, this.#read, at, at + part)
        at += part
        this.#advance(this.#response, part)
      }
    }
  }

  #begin(total: number): void {
    this.#total = total
    const response = total < largeBytes ? Buffer.allocUnsafe(total) : lent(Math.min(total, credibleBytes))
    this.#response = response
    this.#advance(response, this.#size.copy(response))
  }

  #advance(response: Buffer, bytes: number): void {
    this.#read += bytes
    if (this.#read < this.#total) return
    this.#response = undefined
    this.#read = 0
    this.#sizeRead = 0
    this.#whole(response.subarray(0, this.#total))
  }

  #fitting(response: Buffer, bytes: number): Buffer {
    if (bytes <= response.length) return response
    const larger = lent(Math.min(this.#total, Math.max(bytes, response.length * 2)))
    response.copy(larger, 0, 0, this.#read)
    blockMemory.give(response.buffer)
    this.#response = larger
    return larger
  }
}

const lent = (bytes: number): Buffer => Buffer.from(blockMemory.take(bytes), 0, bytes)
