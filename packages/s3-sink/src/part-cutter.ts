/** A file's bytes in the pieces a multipart upload takes. */
export interface FilePart {
  /** From 1. */
  readonly partNumber: number
  readonly bytes: Uint8Array
  readonly last: boolean
}

/**
 * Cuts a file into parts of exactly `partBytes`; the last may be smaller. Each part owns its memory,
 * so that it can be transferred to another thread.
 */
export function* cutParts(file: Uint8Array, partBytes: number): Generator<FilePart, void, undefined> {
  if (file.length <= partBytes) {
    yield { partNumber: 1, bytes: file, last: true }
    return
  }
  for (let start = 0, partNumber = 1; start < file.length; start += partBytes, partNumber += 1) {
    const bytes = file.slice(start, start + partBytes)
    yield { partNumber, bytes, last: start + partBytes >= file.length }
  }
}
