/** What stands for the byte after a backslash; 0 where that is no escape of one byte. */
const plainEscapes = new Uint8Array(256)
for (const [letter, byte] of [
  ['"', 34],
  ['/', 47],
  ['\\', 92],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
] as const) {
  plainEscapes[letter.charCodeAt(0)] = byte
}

const hexDigit = (byte: number): number =>
  byte >= 48 && byte <= 57
    ? byte - 48
    : byte >= 97 && byte <= 102
      ? byte - 87
      : byte >= 65 && byte <= 70
        ? byte - 55
        : -1

/** The code unit of `\uXXXX` at `at`, or -1. */
const codeUnit = (bytes: Uint8Array, at: number): number => {
  if (bytes[at] !== 92 || bytes[at + 1] !== 117) return -1
  let unit = 0
  for (let index = at + 2; index < at + 6; index++) {
    const digit = hexDigit(bytes[index]!)
    if (digit < 0) return -1
    unit = unit * 16 + digit
  }
  return unit
}

/** The UTF-8 that JSON strings with escapes stand for. */
export class JsonUnescaper {
  /** The text read last is its first `length` bytes. */
  bytes = new Uint8Array(256)
  length = 0

  /** Reads the string that begins at `start`: where it ends, or -1 when it is none or has a lone surrogate. */
  read(bytes: Uint8Array, start: number): number {
    let at = start + 1
    let to = 0
    for (;;) {
      // A code point takes four bytes at most, and one stays free.
      if (to + 5 > this.bytes.length) this.#grow()
      const target = this.bytes
      const byte = bytes[at]!
      if (byte === 34) break
      if (byte < 32) return -1
      if (byte !== 92) {
        target[to++] = byte
        at += 1
        continue
      }
      const plain = plainEscapes[bytes[at + 1]!]!
      if (plain !== 0) {
        target[to++] = plain
        at += 2
        continue
      }
      let point = codeUnit(bytes, at)
      if (point < 0) return -1
      at += 6
      if (point >= 0xd800 && point < 0xe000) {
        const low = point < 0xdc00 ? codeUnit(bytes, at) : -1
        if (low < 0xdc00 || low > 0xdfff) return -1
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00)
        at += 6
      }
      if (point < 0x80) target[to++] = point
      else if (point < 0x800) {
        target[to++] = 0xc0 | (point >> 6)
        target[to++] = 0x80 | (point & 63)
      } else {
        if (point < 0x10000) target[to++] = 0xe0 | (point >> 12)
        else {
          target[to++] = 0xf0 | (point >> 18)
          target[to++] = 0x80 | ((point >> 12) & 63)
        }
        target[to++] = 0x80 | ((point >> 6) & 63)
        target[to++] = 0x80 | (point & 63)
      }
    }
    this.length = to
    return at + 1
  }

  #grow(): void {
    const larger = new Uint8Array(this.bytes.length * 2)
    larger.set(this.bytes)
    this.bytes = larger
  }
}
