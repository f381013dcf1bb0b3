import type { FileHandle } from 'node:fs/promises'
import { type ByteRange, parseByteRange } from './byte-range.ts'
import { type ChecksumAlgorithm, checksumElement, parseAlgorithm } from './checksums.ts'
import { judgeReadConditions, readWriteConditions } from './conditions.ts'
import { partNumberOf, uploadIdOf } from './multipart-operations.ts'
import { quoted, readObjectAttributes, xmlTime } from './object-headers.ts'
import { modifiedMillis, type ObjectMetadata } from './object-metadata.ts'
import { endXml, objectsOf, type S3Call, uploadsOf } from './s3-call.ts'
import { invalidArgument, noSuchKey, notImplemented, preconditionFailed, s3Error } from './s3-error.ts'
import { element, s3Document } from './s3-xml.ts'
import { type StagedBody, stageBody } from './staged-body.ts'

const readCopySource = (call: S3Call): { bucket: string; key: string } => {
  const header = call.headers.get('x-amz-copy-source') ?? ''
  const invalid = () =>
    invalidArgument(
      'x-amz-copy-source',
      header,
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    )
  const [location = '', version] = header.split('?versionId=')
  if (version !== undefined && version !== 'null') throw notImplemented('versions of objects')
  if (location.startsWith('arn:')) throw notImplemented('copies from an access point')
  let decoded: string
  try {
    decoded = decodeURIComponent(location).replace(/^\//, '')
  } catch {
    throw invalid()
  }
  const slash = decoded.indexOf('/')
  if (slash <= 0 || slash === decoded.length - 1) throw invalid()
  return { bucket: decoded.slice(0, slash), key: decoded.slice(slash + 1) }
}

async function* bytesOf(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  if (end < start) return
  yield* file.createReadStream({
    start,
    end,
    highWaterMark: 1 << 20,
    autoClose: false,
  }) as AsyncIterable<Uint8Array>
}

/** The bytes to copy; unlike those of a read, a range must be spelled out and lie in the source whole. */
const copiedBytes = (range: string | undefined, size: number): ByteRange => {
  if (range === undefined) return { start: 0, end: size - 1 }
  const bytes = /^bytes=\d+-\d+$/.test(range) ? parseByteRange(range, size) : undefined
  if (!bytes || bytes.end !== Number(range.split('-')[1])) {
    const message = `The range must be bytes=first-last, within the ${size} bytes of the source.`
    throw invalidArgument('x-amz-copy-source-range', range, message)
  }
  return bytes
}

/** Copies the source, or `range` of it, into a staged file while `use` decides what becomes of it. */
const withCopiedSource = async <T>(
  call: S3Call,
  range: string | undefined,
  algorithmFor: (source: ObjectMetadata) => ChecksumAlgorithm | undefined,
  use: (staged: StagedBody, source: ObjectMetadata) => Promise<T>,
): Promise<T> => {
  const source = readCopySource(call)
  const opened = await (await call.storage.bucket(source.bucket)).objects.open(source.key)
  if (!opened) throw noSuchKey(source.key)
  try {
    const { metadata, file } = opened
    const current = { etag: metadata.etag, modifiedMillis: modifiedMillis(metadata) }
    if (judgeReadConditions(call.headers, current, 'x-amz-copy-source-') === 'not-modified') {
      throw preconditionFailed('x-amz-copy-source-If-None-Match')
    }
    const { start, end } = copiedBytes(range, metadata.size)
    const staged = await stageBody(
      call.storage,
      { chunks: bytesOf(file, start, end), trailers: new Map() },
      { algorithm: algorithmFor(metadata) },
    )
    try {
      return await use(staged, metadata)
    } finally {
      await staged.discard()
    }
  } finally {
    await opened.file.close()
  }
}

export const copyObject = async (call: S3Call): Promise<void> => {
  const objects = await objectsOf(call)
  const directive = call.headers.get('x-amz-metadata-directive')?.toUpperCase() ?? 'COPY'
  if (directive !== 'COPY' && directive !== 'REPLACE') {
    throw invalidArgument('x-amz-metadata-directive', directive, 'Unknown metadata directive.')
  }
  const source = readCopySource(call)
  if (directive === 'COPY' && source.bucket === call.bucket && source.key === call.key) {
    throw s3Error(
      'InvalidRequest',
      400,
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    )
  }
  const named = call.headers.get('x-amz-checksum-algorithm')
  const written = await withCopiedSource(
    call,
    undefined,
    (metadata) => (named === undefined ? metadata.checksum?.algorithm : parseAlgorithm(named)),
    ({ filePath, size, md5, checksum }, metadata) => {
      const { headers, userMetadata } = directive === 'COPY' ? metadata : readObjectAttributes(call.headers)
      return objects.write(
        call.key,
        { filePath, size, etag: md5, checksum, headers, userMetadata },
        readWriteConditions(call.headers),
      )
    },
  )
  const { checksum } = written
  await endXml(
    call,
    s3Document(
      'CopyObjectResult',
      element('LastModified', xmlTime(modifiedMillis(written))),
      element('ETag', quoted(written.etag)),
      checksum ? element(checksumElement(checksum.algorithm), checksum.value) : '',
      checksum ? element('ChecksumType', checksum.type) : '',
    ),
  )
}

export const uploadPartCopy = async (call: S3Call): Promise<void> => {
  const uploads = await uploadsOf(call)
  const partNumber = partNumberOf(call)
  const upload = await uploads.get(uploadIdOf(call), call.key)
  const part = await withCopiedSource(
    call,
    call.headers.get('x-amz-copy-source-range'),
    () => upload.checksumAlgorithm,
    (staged) => uploads.putPart(upload, partNumber, staged),
  )
  await endXml(
    call,
    s3Document(
      'CopyPartResult',
      element('LastModified', xmlTime(part.modifiedMillis)),
      element('ETag', quoted(part.etag)),
      part.checksum ? element(checksumElement(part.checksum.algorithm), part.checksum.value) : '',
    ),
  )
}
