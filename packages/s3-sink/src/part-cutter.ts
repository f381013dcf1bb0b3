/** A file's bytes in the pieces a multipart upload takes. */
export interface FilePart {
  /** From 1. */
  readonly partNumber: number
  readonly bytes: Uint8Array
  readonly last: boolean
}

/**
 * Cuts what is left of a file, given in pieces, into parts of exactly `partBytes`; the last may be smaller.
 *
 * @param taken parts of the file that were taken before
 */
export function* cutParts(
  pieces: readonly Uint8Array[],
  partBytes: number,
  taken = 0,
): Generator<FilePart, void, undefined> {
  const rest = [...pieces]
  let left = pieces.reduce((bytes, piece) => bytes + piece.length, 0)
  for (let partNumber = taken + 1; left > 0 || partNumber === 1; partNumber += 1) {
    const bytes = takeBytes(rest, Math.min(left, partBytes))
    left -= bytes.length
    yield { partNumber, bytes, last: left === 0 }
  }
}

/**
 * Takes bytes from the front of pieces that have as many. They own their memory, so that they can be transferred to
 * another thread.
 */
export const takeBytes = (pieces: Uint8Array[], count: number): Uint8Array => {
  const bytes = new Uint8Array(count)
  for (let at = 0; at < count; ) {
    const piece = pieces[0]!
    const run = piece.subarray(0, count - at)
    bytes.set(run, at)
    at += run.length
    if (run.length === piece.length) pieces.shift()
    else pieces[0] = piece.subarray(run.length)
  }
  return bytes
}
