/** Compares two strings by their UTF-8 bytes, the order in which S3 lists keys. */
export const compareUtf8 = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    let left = a.charCodeAt(index)
    let right = b.charCodeAt(index)
    if (left !== right) {
      // Surrogates stand for characters above all others, though their UTF-16 units lie below U+E000.
      if (left >= 0xd800 && right >= 0xd800) {
        if (left < 0xe000) left += 0x10000
        if (right < 0xe000) right += 0x10000
      }
      return left - right
    }
  }
  return a.length - b.length
}
