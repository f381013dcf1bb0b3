import type { ServerResponse } from 'node:http'
import type { VerifiedRequest } from '../http/verified-request.ts'
import type { Bucket } from './bucket.ts'
import type { FileObjectStorage } from './file-object-storage.ts'
import type { KeyLocks } from './key-locks.ts'
import type { MultipartUploads } from './multipart-uploads.ts'
import { invalidArgument } from './s3-error.ts'

/** One request to S3, taken apart, with what it takes to answer it. */
export interface S3Call {
  readonly request: VerifiedRequest
  readonly response: ServerResponse
  readonly storage: FileObjectStorage
  readonly bucket: string
  readonly key: string
  readonly query: ReadonlyMap<string, string>
  readonly headers: ReadonlyMap<string, string>
  /** Keeps two completions of one upload apart. */
  readonly uploadLocks: KeyLocks
}

/** The bucket's objects. Throws `NoSuchBucket`. */
export const objectsOf = async (call: S3Call): Promise<Bucket> =>
  (await call.storage.bucket(call.bucket)).objects

/** The bucket's uploads. Throws `NoSuchBucket`. */
export const uploadsOf = async (call: S3Call): Promise<MultipartUploads> =>
  (await call.storage.bucket(call.bucket)).uploads

/** Begins an answer, once what it may tell of is settled. */
export const beginAnswer = async (
  call: S3Call,
  statusCode: number,
  headers: Record<string, string>,
): Promise<void> => {
  await call.storage.durability.settled()
  call.response.writeHead(statusCode, headers)
}

/** Answers without a body. */
export const endEmpty = async (
  call: S3Call,
  statusCode: number,
  headers: Record<string, string> = {},
): Promise<void> => {
  const hasLength = statusCode !== 204 && statusCode !== 304
  await beginAnswer(call, statusCode, hasLength ? { ...headers, 'content-length': '0' } : headers)
  call.response.end()
}

/** Answers with an XML document. */
export const endXml = async (
  call: S3Call,
  document: string,
  headers: Record<string, string> = {},
): Promise<void> => {
  const body = Buffer.from(document)
  const length = String(body.length)
  await beginAnswer(call, 200, { ...headers, 'content-type': 'application/xml', 'content-length': length })
  call.response.end(body)
}

/** A whole number from the query, `fallback` when it is not there. Throws `InvalidArgument`. */
export const wholeNumber = (call: S3Call, name: string, fallback: number, most = 2_147_483_647): number => {
  const text = call.query.get(name)
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > most) {
    throw invalidArgument(name, text, `Argument ${name} must be an integer between 0 and ${most}`)
  }
  return value
}
