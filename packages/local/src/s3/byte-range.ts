import { s3Error } from './s3-error.ts'

/** A run of bytes, `end` included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * The range a `Range` header asks of `size` bytes; undefined when there is none, or one S3 passes over
 * (several ranges, another unit, nonsense). Throws `InvalidRange` when no byte of it exists.
 */
export const parseByteRange = (header: string | undefined, size: number): ByteRange | undefined => {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const first = match[1] === '' ? undefined : Number(match[1])
  const last = match[2] === '' ? undefined : Number(match[2])
  if (first !== undefined && last !== undefined && last < first) return undefined
  const start = first ?? Math.max(0, size - last!)
  if (start >= size) {
    throw s3Error('InvalidRange', 416, 'The requested range is not satisfiable', {
      RangeRequested: header,
      ActualObjectSize: size,
    })
  }
  return { start, end: first === undefined || last === undefined ? size - 1 : Math.min(last, size - 1) }
}
