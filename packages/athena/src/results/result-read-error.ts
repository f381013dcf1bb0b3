import { StockpipeError } from '@stockpipe/core'
import { type StoredLocation, UnreadableObject } from './result-store.ts'

/** The rows of a query that has succeeded could not be read from S3 to their end. The query need not be run again. */
export class ResultReadError extends StockpipeError {
  override readonly name = 'ResultReadError'
}

const remedies = {
  unavailable: 'Allow s3:GetObject on it, or set resultPath to pages.',
  changed: 'It was written again or cut while it was read: run the query again.',
  other: 'Try again later, or set resultPath to pages.',
} as const

/** @param read bytes that were read before */
export const resultReadError = (location: StoredLocation, read: number, cause: unknown): ResultReadError => {
  if (cause instanceof ResultReadError) return cause
  const told = cause instanceof Error ? cause.message.replace(/\.?\s*$/, '') : String(cause)
  const unreadable = cause instanceof UnreadableObject ? cause : undefined
  return new ResultReadError({
    code: unreadable?.reason === 'changed' ? 'RESULT_CHANGED' : 'RESULT_UNREADABLE',
    message: `The result s3://${location.bucket}/${location.key} could not be read past byte ${read}: ${told}. ${remedies[unreadable?.reason ?? 'other']}`,
    retryable: unreadable?.passing ?? false,
    cause,
    facts: { bucket: location.bucket, key: location.key, read },
  })
}
