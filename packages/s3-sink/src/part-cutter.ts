/** A file's bytes in the pieces a multipart upload takes. */
export interface FilePart {
  /** From 1. */
  readonly partNumber: number
  readonly bytes: Uint8Array
  readonly last: boolean
}

/**
 * Cuts a file, given in pieces, into parts of exactly `partBytes`; the last may be smaller. Each part owns its memory,
 * so that it can be transferred to another thread.
 */
export function* cutParts(
  pieces: readonly Uint8Array[],
  partBytes: number,
): Generator<FilePart, void, undefined> {
  let left = pieces.reduce((bytes, piece) => bytes + piece.length, 0)
  let index = 0
  let from = 0
  for (let partNumber = 1; left > 0 || partNumber === 1; partNumber += 1) {
    const bytes = new Uint8Array(Math.min(left, partBytes))
    for (let at = 0; at < bytes.length; ) {
      const run = pieces[index]!.subarray(from, from + bytes.length - at)
      bytes.set(run, at)
      at += run.length
      from += run.length
      if (from === pieces[index]!.length) {
        index += 1
        from = 0
      }
    }
    left -= bytes.length
    yield { partNumber, bytes, last: left === 0 }
  }
}
