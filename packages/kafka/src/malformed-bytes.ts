/** Bytes that are not what they should be. Whoever knows where they come from says so in an error of its own. */
export class MalformedBytesError extends Error {
  override readonly name = 'MalformedBytesError'
}

/** What the records of one batch may take when they are not compressed. */
export const largestInflatedBytes = 512 * 1024 * 1024
