import { noSuchKey, notImplemented, preconditionFailed } from './s3-error.ts'

/** Conditions of a write: `If-Match` and `If-None-Match`. */
export interface WriteConditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

const normalEtag = (etag: string): string =>
  etag
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1')

const matches = (header: string, etag: string): boolean =>
  header.split(',').some((candidate) => candidate.trim() === '*' || normalEtag(candidate) === etag)

export const readWriteConditions = (headers: ReadonlyMap<string, string>): WriteConditions => ({
  ifMatch: headers.get('if-match'),
  ifNoneMatch: headers.get('if-none-match'),
})

/** Throws what S3 answers when a write's conditions do not hold for the object that is there (or not). */
export const checkWriteConditions = (
  conditions: WriteConditions,
  key: string,
  currentEtag: string | undefined,
): void => {
  const { ifMatch, ifNoneMatch } = conditions
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== '*') throw notImplemented('If-None-Match on writes with anything but *')
    if (currentEtag !== undefined) throw preconditionFailed('If-None-Match')
  }
  if (ifMatch !== undefined) {
    if (currentEtag === undefined) throw noSuchKey(key)
    if (!matches(ifMatch, currentEtag)) throw preconditionFailed('If-Match')
  }
}

/**
 * Judges the conditions of a read, whose headers begin with `prefix` (`x-amz-copy-source-` for copies):
 * 'modified' to go on, 'not-modified' for 304. Throws `PreconditionFailed`.
 */
export const judgeReadConditions = (
  headers: ReadonlyMap<string, string>,
  current: { readonly etag: string; readonly modifiedMillis: number },
  prefix = '',
): 'modified' | 'not-modified' => {
  const modifiedSeconds = Math.floor(current.modifiedMillis / 1_000)
  const seconds = (name: string) => Math.floor(Date.parse(headers.get(`${prefix}${name}`) ?? '') / 1_000)
  const ifMatch = headers.get(`${prefix}if-match`)
  const ifNoneMatch = headers.get(`${prefix}if-none-match`)
  if (ifMatch !== undefined && !matches(ifMatch, current.etag)) throw preconditionFailed('If-Match')
  if (ifMatch === undefined && modifiedSeconds > seconds('if-unmodified-since')) {
    throw preconditionFailed('If-Unmodified-Since')
  }
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, current.etag) ? 'not-modified' : 'modified'
  return modifiedSeconds <= seconds('if-modified-since') ? 'not-modified' : 'modified'
}
