import { MalformedFrameError } from '../protocol/wire-reader.ts'

/** `socket.request.max.bytes` of Apache Kafka. */
export const maxFrameBytes = 100 * 1024 * 1024

const lengthBytes = 4

/** Cuts a stream of bytes into the frames of the protocol, copying each byte about once. */
export class FrameReader {
  #chunks: Buffer[] = []
  #bufferedBytes = 0

  /**
   * Adds what the socket delivered and returns the frames that are whole, without their length.
   *
   * Throws a MalformedFrameError for a negative length or one above 100 MiB.
   */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.length
    const frames: Buffer[] = []
    while (this.#bufferedBytes >= lengthBytes) {
      if (this.#chunks[0]!.length < lengthBytes) this.#join()
      const frameBytes = this.#chunks[0]!.readInt32BE(0)
      if (frameBytes < 0 || frameBytes > maxFrameBytes) {
        throw new MalformedFrameError(
          `A request of ${frameBytes} bytes is not between 0 and ${maxFrameBytes}.`,
        )
      }
      if (this.#bufferedBytes < lengthBytes + frameBytes) break
      if (this.#chunks[0]!.length < lengthBytes + frameBytes) this.#join()
      const first = this.#chunks[0]!
      frames.push(first.subarray(lengthBytes, lengthBytes + frameBytes))
      const rest = first.subarray(lengthBytes + frameBytes)
      if (rest.length > 0) this.#chunks[0] = rest
      else this.#chunks.shift()
      this.#bufferedBytes -= lengthBytes + frameBytes
    }
    return frames
  }

  /** Happens once a frame, when it is whole, and for a length cut in two. */
  #join(): void {
    this.#chunks = [Buffer.concat(this.#chunks, this.#bufferedBytes)]
  }
}
