/** Bytes of the buffers that a block is made of. */
export const blockBytes = (part: unknown): number => {
  if (ArrayBuffer.isView(part)) return part.byteLength
  if (typeof part !== 'object' || part === null) return 0
  return Object.values(part).reduce((bytes: number, held) => bytes + blockBytes(held), 0)
}
