import { checksumElement } from './checksums.ts'
import { nameWriter } from './list-operations.ts'
import type { MultipartUpload } from './multipart-uploads.ts'
import { quoted, xmlTime } from './object-headers.ts'
import { endXml, type S3Call, uploadsOf, wholeNumber } from './s3-call.ts'
import { element, group, owner, s3Document } from './s3-xml.ts'
import { compareUtf8 } from './utf8-order.ts'

const pageLimit = 1_000
const initiator = owner.replaceAll('Owner>', 'Initiator>')

export const listParts = async (call: S3Call): Promise<void> => {
  const uploads = await uploadsOf(call)
  const upload = await uploads.get(call.query.get('uploadId') ?? '', call.key)
  const marker = wholeNumber(call, 'part-number-marker', 0)
  const maxParts = Math.min(wholeNumber(call, 'max-parts', pageLimit), pageLimit)
  const after = (await uploads.parts(upload)).filter((part) => part.partNumber > marker)
  const page = after.slice(0, maxParts)
  await endXml(
    call,
    s3Document(
      'ListPartsResult',
      element('Bucket', call.bucket),
      element('Key', nameWriter(call)(call.key)),
      element('UploadId', upload.uploadId),
      initiator,
      owner,
      element('StorageClass', 'STANDARD'),
      element('PartNumberMarker', marker),
      element('NextPartNumberMarker', page.at(-1)?.partNumber ?? marker),
      element('MaxParts', maxParts),
      element('IsTruncated', after.length > page.length),
      element('ChecksumAlgorithm', upload.checksumAlgorithm),
      element('ChecksumType', upload.checksumType),
      ...page.map((part) =>
        group(
          'Part',
          element('PartNumber', part.partNumber),
          element('LastModified', xmlTime(part.modifiedMillis)),
          element('ETag', quoted(part.etag)),
          element('Size', part.size),
          part.checksum ? element(checksumElement(part.checksum.algorithm), part.checksum.value) : '',
        ),
      ),
    ),
  )
}

const byKeyThenTime = (a: MultipartUpload, b: MultipartUpload): number =>
  compareUtf8(a.key, b.key) ||
  a.initiatedMillis - b.initiatedMillis ||
  (a.uploadId < b.uploadId ? -1 : a.uploadId > b.uploadId ? 1 : 0)

/** Uploads after the markers: of later keys, or of the same key behind the upload that `uploadIdMarker` names. */
const afterMarkers = (sorted: readonly MultipartUpload[], keyMarker: string, uploadIdMarker: string) => {
  if (keyMarker === '') return sorted
  const marked =
    uploadIdMarker === ''
      ? -1
      : sorted.findIndex((upload) => upload.key === keyMarker && upload.uploadId === uploadIdMarker)
  return marked >= 0
    ? sorted.slice(marked + 1)
    : sorted.filter((upload) => compareUtf8(upload.key, keyMarker) > 0)
}

export const listMultipartUploads = async (call: S3Call): Promise<void> => {
  const uploads = await uploadsOf(call)
  const write = nameWriter(call)
  const prefix = call.query.get('prefix') ?? ''
  const delimiter = call.query.get('delimiter') ?? ''
  const keyMarker = call.query.get('key-marker') ?? ''
  const uploadIdMarker = call.query.get('upload-id-marker') ?? ''
  const maxUploads = Math.min(wholeNumber(call, 'max-uploads', pageLimit), pageLimit)
  const sorted = (await uploads.list()).filter((upload) => upload.key.startsWith(prefix)).sort(byKeyThenTime)
  const commonPrefixes = new Set<string>()
  const page: MultipartUpload[] = []
  let isTruncated = false
  let last: { key: string; uploadId: string } | undefined
  for (const upload of afterMarkers(sorted, keyMarker, uploadIdMarker)) {
    const end = delimiter === '' ? -1 : upload.key.indexOf(delimiter, prefix.length)
    const common = end < 0 ? undefined : upload.key.slice(0, end + delimiter.length)
    if (common !== undefined && (commonPrefixes.has(common) || keyMarker.startsWith(common))) continue
    if (page.length + commonPrefixes.size === maxUploads) {
      isTruncated = true
      break
    }
    if (common === undefined) page.push(upload)
    else commonPrefixes.add(common)
    last = common === undefined ? upload : { key: common, uploadId: '' }
  }
  await endXml(
    call,
    s3Document(
      'ListMultipartUploadsResult',
      element('Bucket', call.bucket),
      element('KeyMarker', write(keyMarker)),
      element('UploadIdMarker', uploadIdMarker),
      element('NextKeyMarker', isTruncated ? write(last?.key) : undefined),
      element('NextUploadIdMarker', isTruncated ? last?.uploadId : undefined),
      element('Prefix', write(prefix)),
      element('Delimiter', delimiter === '' ? undefined : write(delimiter)),
      element('EncodingType', call.query.get('encoding-type')),
      element('MaxUploads', maxUploads),
      element('IsTruncated', isTruncated),
      ...page.map((upload) =>
        group(
          'Upload',
          element('Key', write(upload.key)),
          element('UploadId', upload.uploadId),
          initiator,
          owner,
          element('StorageClass', 'STANDARD'),
          element('Initiated', xmlTime(upload.initiatedMillis)),
          element('ChecksumAlgorithm', upload.checksumAlgorithm),
          element('ChecksumType', upload.checksumType),
        ),
      ),
      ...[...commonPrefixes].map((name) => group('CommonPrefixes', element('Prefix', write(name)))),
    ),
  )
}
