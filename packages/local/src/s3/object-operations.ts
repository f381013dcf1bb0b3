import { pipeline } from 'node:stream/promises'
import { isHeaderText } from '../http/http-request.ts'
import { parseByteRange } from './byte-range.ts'
import { expectedChecksum } from './checksums.ts'
import { judgeReadConditions, readWriteConditions } from './conditions.ts'
import { checksumHeaders, objectHeaders, quoted, readObjectAttributes } from './object-headers.ts'
import { modifiedMillis, type ObjectMetadata } from './object-metadata.ts'
import { beginAnswer, endEmpty, objectsOf, type S3Call, wholeNumber } from './s3-call.ts'
import { invalidArgument, noSuchKey, s3Error } from './s3-error.ts'
import { type StagedBody, stageBody } from './staged-body.ts'

const maxSinglePutBytes = 5 * 1024 ** 3

/** Stages the body of PutObject or UploadPart, verified. Throws `MissingContentLength`, `EntityTooLarge`, `BadDigest`. */
export const stageRequestBody = async (
  call: S3Call,
  options: Parameters<typeof stageBody>[2] = {},
): Promise<StagedBody> => {
  const { body } = call.request
  if (body.length === undefined) {
    throw s3Error('MissingContentLength', 411, 'You must provide the Content-Length HTTP header.')
  }
  if (body.length > maxSinglePutBytes) {
    throw s3Error('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', {
      ProposedSize: body.length,
      MaxSizeAllowed: maxSinglePutBytes,
    })
  }
  return stageBody(call.storage, body, {
    expected: expectedChecksum(call.headers),
    contentMd5: call.headers.get('content-md5'),
    ...options,
  })
}

export const putObject = async (call: S3Call): Promise<void> => {
  const objects = await objectsOf(call)
  const attributes = readObjectAttributes(call.headers)
  const staged = await stageRequestBody(call)
  try {
    const { filePath, size, md5: etag, checksum } = staged
    await objects.write(
      call.key,
      { ...attributes, filePath, size, etag, checksum },
      readWriteConditions(call.headers),
    )
    await endEmpty(call, 200, { etag: quoted(etag), ...checksumHeaders(checksum) })
  } finally {
    await staged.discard()
  }
}

const responseOverrides = new Map([
  ['response-content-type', 'content-type'],
  ['response-content-language', 'content-language'],
  ['response-expires', 'expires'],
  ['response-cache-control', 'cache-control'],
  ['response-content-disposition', 'content-disposition'],
  ['response-content-encoding', 'content-encoding'],
])

/** Status, headers and bytes of an answer to GetObject or HeadObject. */
const planRead = (call: S3Call, metadata: ObjectMetadata) => {
  const headers = objectHeaders(metadata)
  for (const [parameter, header] of responseOverrides) {
    const value = call.query.get(parameter)
    if (value === undefined) continue
    if (!isHeaderText(header, value)) throw invalidArgument(parameter, value, 'That is no value of a header.')
    headers[header] = value
  }
  const { size, partSizes = [size] } = metadata
  let range = parseByteRange(call.headers.get('range'), size)
  if (call.query.has('partNumber')) {
    const partNumber = wholeNumber(call, 'partNumber', 1, 10_000)
    const partSize = partSizes[partNumber - 1]
    if (range)
      throw s3Error('InvalidRequest', 400, 'Cannot specify both Range header and partNumber query parameter')
    if (partSize === undefined)
      throw s3Error('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable')
    const start = partSizes.slice(0, partNumber - 1).reduce((sum, bytes) => sum + bytes, 0)
    if (partSize > 0) range = { start, end: start + partSize - 1 }
    if (metadata.partSizes) headers['x-amz-mp-parts-count'] = String(partSizes.length)
  }
  const { start, end } = range ?? { start: 0, end: size - 1 }
  headers['content-length'] = String(end - start + 1)
  if (range) headers['content-range'] = `bytes ${start}-${end}/${size}`
  else if (call.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED') {
    Object.assign(headers, checksumHeaders(metadata.checksum))
  }
  return { statusCode: range ? 206 : 200, headers, start, end }
}

const endNotModified = async (call: S3Call, metadata: ObjectMetadata): Promise<void> => {
  const { etag, 'last-modified': lastModified } = objectHeaders(metadata)
  await endEmpty(call, 304, { etag: etag!, 'last-modified': lastModified! })
}

const judge = (call: S3Call, metadata: ObjectMetadata) =>
  judgeReadConditions(call.headers, {
    etag: metadata.etag,
    modifiedMillis: modifiedMillis(metadata),
  })

export const headObject = async (call: S3Call): Promise<void> => {
  const metadata = await (await objectsOf(call)).find(call.key)
  if (!metadata) throw noSuchKey(call.key)
  if (judge(call, metadata) === 'not-modified') return endNotModified(call, metadata)
  const { statusCode, headers } = planRead(call, metadata)
  await beginAnswer(call, statusCode, headers)
  call.response.end()
}

export const getObject = async (call: S3Call): Promise<void> => {
  const opened = await (await objectsOf(call)).open(call.key)
  if (!opened) throw noSuchKey(call.key)
  const { metadata, file } = opened
  try {
    if (judge(call, metadata) === 'not-modified') return await endNotModified(call, metadata)
    const { statusCode, headers, start, end } = planRead(call, metadata)
    await beginAnswer(call, statusCode, headers)
    if (end < start) {
      call.response.end()
      return
    }
    const bytes = file.createReadStream({ start, end, highWaterMark: 256 * 1024, autoClose: false })
    await pipeline(bytes, call.response)
  } finally {
    await file.close()
  }
}

export const deleteObject = async (call: S3Call): Promise<void> => {
  const objects = await objectsOf(call)
  await objects.delete(call.key, { ifMatch: call.headers.get('if-match') })
  await endEmpty(call, 204)
}
