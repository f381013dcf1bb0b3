import { createHash } from 'node:crypto'
import { readWholeBody } from '../http/request-body.ts'
import { expectedChecksum, startDigest, verifyChecksum } from './checksums.ts'
import type { S3Call } from './s3-call.ts'
import { s3Error } from './s3-error.ts'

const maxXmlBytes = 16 * 1024 * 1024

/** Reads an XML body whole, its checksum or Content-MD5 verified. */
export const readXmlBody = async (
  call: S3Call,
  options: { checksumRequired?: boolean } = {},
): Promise<Buffer> => {
  const expected = expectedChecksum(call.headers)
  const contentMd5 = call.headers.get('content-md5')
  if (options.checksumRequired && !expected && contentMd5 === undefined) {
    throw s3Error(
      'InvalidRequest',
      400,
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    )
  }
  const body = await readWholeBody(call.request.body.chunks, maxXmlBytes, 'MaxMessageLengthExceeded')
  if (expected) {
    const digest = startDigest(expected.algorithm)
    digest.update(body)
    verifyChecksum(expected, call.request.body.trailers, digest.digest().toString('base64'))
  }
  if (contentMd5 !== undefined && createHash('md5').update(body).digest('base64') !== contentMd5) {
    throw s3Error('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.')
  }
  return body
}
