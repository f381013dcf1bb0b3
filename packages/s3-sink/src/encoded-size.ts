/** What a footer takes until one was measured: a guess per column, and what every footer has. */
const footerGuess = (columns: number): number => 800 + 200 * columns
/** Encoded bytes per buffered byte until something was measured. */
const ratioGuess = 0.5
/** What was measured longer ago than this many buffered bytes counts half, and so on. */
const memoryBytes = 32 * 1024 * 1024

/** Estimates the size of files before they are encoded, learning from those that were. */
export class EncodedSize {
  #footerBytes: number
  #buffered = 0
  #encoded = 0
  #ratio = ratioGuess

  constructor(columns: number) {
    this.#footerBytes = footerGuess(columns)
  }

  /** The size of `files` files whose values take `payloadBytes`. */
  estimate(payloadBytes: number, files: number): number {
    return Math.ceil(payloadBytes * this.#ratio + files * this.#footerBytes)
  }

  /** Values of `payloadBytes` became `files` files of `encodedBytes` in all, `footerBytes` of them footers. */
  learn(measured: { payloadBytes: number; files: number; encodedBytes: number; footerBytes: number }): void {
    this.#footerBytes = measured.footerBytes / measured.files
    const kept = memoryBytes / (memoryBytes + measured.payloadBytes)
    this.#buffered = this.#buffered * kept + measured.payloadBytes
    this.#encoded = this.#encoded * kept + measured.encodedBytes - measured.footerBytes
    if (this.#buffered > 0) this.#ratio = this.#encoded / this.#buffered
  }
}
