import type { Runtime } from '@stockpipe/core'
import { ObjectStoreError } from './errors.ts'

const largestDriftMillis = 5 * 60_000

/** `20260102T030405Z` as milliseconds since the epoch; undefined when it is not that. */
const readAmzDate = (text: string | undefined): number | undefined => {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '')
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/**
 * A middleware that runs between signing and sending. S3 refuses a signature more than 15 minutes off, so what was
 * checked against the signed time holds however long the process hung; that is lost when the SDK signs with a
 * corrected clock, so a request signed off our own clock is not sent either.
 */
export const signingTimeGuard =
  (runtime: Runtime, key: string, signedBefore: number) =>
  <Input extends object, Output>(next: (input: Input) => Promise<Output>) =>
  async (input: Input): Promise<Output> => {
    const { headers } = (input as { request?: { headers?: Record<string, string> } }).request ?? {}
    const signed = readAmzDate(headers?.['x-amz-date'])
    const now = runtime.now()
    if (Math.max(signed ?? now, now) >= signedBefore) {
      throw new ObjectStoreError({
        code: 'SIGNED_TOO_LATE',
        message: `The conditional put of ${key} was not sent: what it relies on was read too long ago. Read again first.`,
        outcome: 'refused',
        facts: { key },
      })
    }
    if (signed !== undefined && Math.abs(signed - now) > largestDriftMillis) {
      throw new ObjectStoreError({
        code: 'CLOCK_OFF',
        message:
          `The conditional put of ${key} was not sent: it is signed for ${Math.round((signed - now) / 1000)} s off this ` +
          "machine's clock. Set the clock; claims are never signed with a corrected one.",
        outcome: 'refused',
        retryable: true,
        facts: { key, driftMillis: signed - now },
      })
    }
    return next(input)
  }
