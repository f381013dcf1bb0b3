import {
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { CallOptions, ObjectSummary, UploadedPart, UploadSummary } from '@stockpipe/core'
import { callMillis, given, type S3Calls } from './s3-call.ts'

const pageKeys = 1000

export interface ListOptions extends CallOptions {
  readonly startAfter?: string
  readonly limit?: number
}

/** What every command says of the bucket. */
export interface BucketFields {
  readonly Bucket: string
  readonly ExpectedBucketOwner?: string
}

/** Listings of a bucket, read page by page as they are walked. */
export class S3Listings {
  readonly #client: S3Client
  readonly #at: BucketFields
  readonly #calls: S3Calls

  constructor(client: S3Client, at: BucketFields, calls: S3Calls) {
    this.#client = client
    this.#at = at
    this.#calls = calls
  }

  async parts(key: string, uploadId: string, options: CallOptions): Promise<readonly UploadedPart[]> {
    const parts: UploadedPart[] = []
    let marker: string | undefined
    do {
      const command = new ListPartsCommand({
        ...this.#at,
        Key: key,
        UploadId: uploadId,
        PartNumberMarker: marker,
      })
      const call = { operation: 'ListParts', key, millis: callMillis, signal: options.signal }
      const page = await this.#calls.make(call, command, (send) => this.#client.send(command, send))
      for (const part of page.Parts ?? []) {
        parts.push({ partNumber: part.PartNumber ?? 0, etag: part.ETag ?? '', size: part.Size ?? 0 })
      }
      marker = page.IsTruncated ? page.NextPartNumberMarker : undefined
    } while (marker !== undefined)
    return parts
  }

  async *uploads(prefix: string, options: CallOptions): AsyncGenerator<UploadSummary> {
    let marker: { key: string | undefined; upload: string | undefined } | undefined
    do {
      const command = new ListMultipartUploadsCommand({
        ...this.#at,
        Prefix: prefix,
        KeyMarker: marker?.key,
        UploadIdMarker: marker?.upload,
      })
      const call = {
        operation: 'ListMultipartUploads',
        key: prefix,
        millis: callMillis,
        signal: options.signal,
      }
      const page = await this.#calls.make(call, command, (send) => this.#client.send(command, send))
      for (const upload of page.Uploads ?? []) {
        yield {
          key: given(upload.Key, 'Key'),
          uploadId: given(upload.UploadId, 'UploadId'),
          initiated: upload.Initiated?.getTime() ?? 0,
        }
      }
      marker = page.IsTruncated ? { key: page.NextKeyMarker, upload: page.NextUploadIdMarker } : undefined
    } while (marker !== undefined)
  }

  async *objects(prefix: string, options: ListOptions): AsyncGenerator<ObjectSummary> {
    let left = options.limit ?? Number.POSITIVE_INFINITY
    let token: string | undefined
    do {
      const command = new ListObjectsV2Command({
        ...this.#at,
        Prefix: prefix,
        StartAfter: options.startAfter,
        ContinuationToken: token,
        MaxKeys: Math.min(pageKeys, left),
      })
      const call = { operation: 'ListObjectsV2', key: prefix, millis: callMillis, signal: options.signal }
      const page = await this.#calls.make(call, command, (send) => this.#client.send(command, send))
      for (const object of page.Contents ?? []) {
        yield { key: given(object.Key, 'Key'), size: object.Size ?? 0, etag: object.ETag ?? '' }
        left -= 1
      }
      token = page.IsTruncated && left > 0 ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }
}
