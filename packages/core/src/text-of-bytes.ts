/** The bytes read last, as Node reads texts from them. */
const viewed: { bytes: Uint8Array; text: Buffer } = { bytes: new Uint8Array(0), text: Buffer.alloc(0) }

/** The text of `bytes[start, end)`; cheap for many texts of the same bytes. */
export const textOf = (
  bytes: Uint8Array,
  start: number,
  end: number,
  encoding: 'latin1' | 'utf8',
): string => {
  if (viewed.bytes !== bytes) {
    viewed.bytes = bytes
    viewed.text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  return viewed.text.toString(encoding, start, end)
}
