/** The contents of quoted cells, without the doubling of quotes. */
export class CsvUnquoter {
  /** The content read last is its first `length` bytes; a 0x00 stands behind it. */
  bytes = new Uint8Array(256)
  view = new DataView(this.bytes.buffer)
  length = 0

  /** Reads the quoted cell that begins at `start`: where it ends, behind its closing quote, or -1 when it is not closed. */
  read(bytes: Uint8Array, start: number, end: number, quote: number): number {
    let to = 0
    for (let at = start + 1; at < end; at++) {
      const byte = bytes[at]!
      if (byte === quote) {
        if (at + 1 === end || bytes[at + 1] !== quote) {
          this.bytes[to] = 0
          this.length = to
          return at + 1
        }
        at += 1
      }
      // The 0x00 needs its room, too.
      if (to + 2 > this.bytes.length) this.#grow()
      this.bytes[to++] = byte
    }
    return -1
  }

  #grow(): void {
    const larger = new Uint8Array(this.bytes.length * 2)
    larger.set(this.bytes)
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }
}
