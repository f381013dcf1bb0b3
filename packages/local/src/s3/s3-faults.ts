import { ConfigurationError } from '@stockpipe/core'
import type { ServiceError } from '../http/json-service.ts'
import { s3Error } from './s3-error.ts'
import type { S3Address, S3Operation } from './s3-operation.ts'

const errors = {
  InternalError: () => s3Error('InternalError', 500, 'We encountered an internal error. Please try again.'),
  SlowDown: () => s3Error('SlowDown', 503, 'Please reduce your request rate.'),
  ConditionalRequestConflict: () =>
    s3Error(
      'ConditionalRequestConflict',
      409,
      'The conditional request cannot succeed due to a conflicting operation against this resource.',
    ),
} satisfies Record<string, () => ServiceError>

/** The errors a fault can answer: with status 500, 503 and 409. */
export type S3FaultError = keyof typeof errors

/**
 * What happens to a request:
 * - `cut`: the connection is cut before anything is done;
 * - `loseAnswer`: the work is done, then the connection is cut instead of an answer, be it a success or a refusal;
 * - `{ error }`: S3's own answer of that name; nothing is done;
 * - `{ delayMillis }`: the work begins so many milliseconds later; not at all, if the client has gone by then.
 */
export type S3FaultAction =
  | 'cut'
  | 'loseAnswer'
  | { readonly error: S3FaultError }
  | { readonly delayMillis: number }

/** A fault to come, and the requests that meet it. */
export interface S3FaultOptions {
  /** As the API names it: `PutObject`. */
  readonly operation: S3Operation
  /** Default: any. */
  readonly bucket?: string
  /** The whole key, what it matches, or how it begins. Default: any. */
  readonly key?: string | RegExp | { readonly prefix: string }
  /** Requests that meet it; `Infinity` for all. Default 1. */
  readonly times?: number
  readonly action: S3FaultAction
}

/** A fault that was added. */
export interface S3Fault {
  /** Requests that have met it so far. */
  readonly hits: number
  /** Ends it, whatever is left of `times`. */
  remove(): void
}

/** What a request to each operation names. */
const addresses: Readonly<Record<S3Operation, 'nothing' | 'bucket' | 'key'>> = {
  ListBuckets: 'nothing',
  CreateBucket: 'bucket',
  HeadBucket: 'bucket',
  DeleteBucket: 'bucket',
  GetBucketLocation: 'bucket',
  GetBucketVersioning: 'bucket',
  GetBucketLifecycleConfiguration: 'bucket',
  ListObjects: 'bucket',
  ListObjectsV2: 'bucket',
  ListMultipartUploads: 'bucket',
  DeleteObjects: 'bucket',
  PutObject: 'key',
  CopyObject: 'key',
  GetObject: 'key',
  HeadObject: 'key',
  DeleteObject: 'key',
  CreateMultipartUpload: 'key',
  UploadPart: 'key',
  UploadPartCopy: 'key',
  ListParts: 'key',
  CompleteMultipartUpload: 'key',
  AbortMultipartUpload: 'key',
}

const maxDelayMillis = 2 ** 31 - 1

const invalid = (name: string, value: unknown, remedy: string) =>
  new ConfigurationError({
    code: 'FAULT_INVALID',
    message: `stack.s3.faults.add: ${name} ${typeof value === 'string' ? `"${value}"` : String(value)} ${remedy}`,
    facts: { [name]: String(value) },
  })

const checkAction = (action: S3FaultAction): void => {
  if (action === 'cut' || action === 'loseAnswer') return
  if (typeof action === 'object' && action !== null) {
    if ('error' in action) {
      if (Object.hasOwn(errors, action.error)) return
      throw invalid(
        'error',
        action.error,
        `cannot be answered: pass one of ${Object.keys(errors).join(', ')}.`,
      )
    }
    if ('delayMillis' in action) {
      const { delayMillis } = action
      if (delayMillis >= 0 && delayMillis <= maxDelayMillis) return
      throw invalid('delayMillis', delayMillis, `is not a number from 0 to ${maxDelayMillis}.`)
    }
  }
  throw invalid('action', action, `is none: pass 'cut', 'loseAnswer', { error } or { delayMillis }.`)
}

const check = ({ operation, bucket, key, times = 1, action }: S3FaultOptions): void => {
  if (!Object.hasOwn(addresses, operation)) {
    throw invalid('operation', operation, `is unknown: pass one of ${Object.keys(addresses).join(', ')}.`)
  }
  const address = addresses[operation]
  if (key !== undefined && address !== 'key') {
    throw invalid('key', key, `would never be met: a request for ${operation} names no key. Leave it out.`)
  }
  if (bucket !== undefined && address === 'nothing') {
    throw invalid('bucket', bucket, `would never be met: ${operation} names no bucket. Leave it out.`)
  }
  if (times !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(times) && times > 0)) {
    throw invalid('times', times, 'is neither a whole number above 0 nor Infinity.')
  }
  checkAction(action)
}

const matchesKey = (wanted: S3FaultOptions['key'], key: string): boolean => {
  if (wanted === undefined) return true
  if (typeof wanted === 'string') return wanted === key
  // `search` keeps no position between calls, as `test` of a global expression does.
  return wanted instanceof RegExp ? key.search(wanted) >= 0 : key.startsWith(wanted.prefix)
}

/** The answer of an error a fault names. */
export const faultError = (name: S3FaultError): ServiceError => errors[name]()

/** Failures of the embedded S3 on demand. Of several that fit a request, the one added first happens. */
export class S3Faults {
  readonly #faults = new Set<S3FaultOptions & { hits: number }>()

  /** Adds a fault. Throws `ConfigurationError` `FAULT_INVALID` for what S3 has not, naming the choices. */
  add(options: S3FaultOptions): S3Fault {
    check(options)
    const fault = { ...options, hits: 0 }
    this.#faults.add(fault)
    return {
      get hits() {
        return fault.hits
      },
      remove: () => {
        this.#faults.delete(fault)
      },
    }
  }

  /** Ends every fault. */
  clear(): void {
    this.#faults.clear()
  }

  /** What is to happen to a request, counted as a hit; undefined for the usual. */
  take(operation: S3Operation, address: S3Address): S3FaultAction | undefined {
    for (const fault of this.#faults) {
      if (fault.operation !== operation || (fault.bucket ?? address.bucket) !== address.bucket) continue
      if (!matchesKey(fault.key, address.key)) continue
      fault.hits++
      if (fault.hits >= (fault.times ?? 1)) this.#faults.delete(fault)
      return fault.action
    }
    return undefined
  }
}
