import { createHash } from 'node:crypto'
import type { Bucket } from './bucket.ts'
import {
  type Checksum,
  type ChecksumType,
  checksumElement,
  compositeChecksum,
  parseAlgorithm,
} from './checksums.ts'
import { checkWriteConditions, readWriteConditions } from './conditions.ts'
import type { MultipartUpload, MultipartUploads, UploadedPart } from './multipart-uploads.ts'
import { checksumHeaders, quoted, readObjectAttributes } from './object-headers.ts'
import { stageRequestBody } from './object-operations.ts'
import { endEmpty, endXml, type S3Call } from './s3-call.ts'
import { invalidArgument, malformedXml, s3Error } from './s3-error.ts'
import { childrenNamed, element, parseS3Document, s3Document, textOf, type XmlValue } from './s3-xml.ts'
import { stageBody } from './staged-body.ts'
import { readXmlBody } from './xml-body.ts'

const maxPartNumber = 10_000
const minPartBytes = 5 * 1024 ** 2

/** The id of the upload a request is about; empty, which no upload has, where it names none. */
export const uploadIdOf = (call: S3Call): string => call.query.get('uploadId') ?? ''

export const partNumberOf = (call: S3Call): number => {
  const text = call.query.get('partNumber') ?? ''
  const partNumber = Number(text)
  if (!/^\d{1,5}$/.test(text) || partNumber < 1 || partNumber > maxPartNumber) {
    throw invalidArgument(
      'partNumber',
      text,
      `Part number must be an integer between 1 and ${maxPartNumber}, inclusive`,
    )
  }
  return partNumber
}

export const createMultipartUpload = async (call: S3Call): Promise<void> => {
  const { uploads } = await call.storage.bucket(call.bucket)
  const named = call.headers.get('x-amz-checksum-algorithm')
  const checksumAlgorithm = named === undefined ? undefined : parseAlgorithm(named)
  const checksumType =
    checksumAlgorithm && readChecksumType(call.headers.get('x-amz-checksum-type'), checksumAlgorithm)
  const upload = await uploads.create({
    key: call.key,
    ...readObjectAttributes(call.headers),
    checksumAlgorithm,
    checksumType,
  })
  await endXml(
    call,
    s3Document(
      'InitiateMultipartUploadResult',
      element('Bucket', call.bucket),
      element('Key', call.key),
      element('UploadId', upload.uploadId),
    ),
    checksumAlgorithm
      ? { 'x-amz-checksum-algorithm': checksumAlgorithm, 'x-amz-checksum-type': checksumType! }
      : {},
  )
}

const readChecksumType = (given: string | undefined, algorithm: string): ChecksumType => {
  const type = given ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE')
  // Only a CRC of the whole follows from those of the parts.
  const allowed = !algorithm.startsWith('CRC')
    ? ['COMPOSITE']
    : algorithm === 'CRC64NVME'
      ? ['FULL_OBJECT']
      : ['COMPOSITE', 'FULL_OBJECT']
  if (!allowed.includes(type)) {
    throw s3Error(
      'InvalidRequest',
      400,
      `The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
    )
  }
  return type as ChecksumType
}

export const uploadPart = async (call: S3Call): Promise<void> => {
  const { uploads } = await call.storage.bucket(call.bucket)
  const partNumber = partNumberOf(call)
  const upload = await uploads.get(uploadIdOf(call), call.key)
  const staged = await stageRequestBody(call, { algorithm: upload.checksumAlgorithm })
  try {
    const part = await uploads.putPart(upload, partNumber, staged)
    const { 'x-amz-checksum-type': _, ...headers } = checksumHeaders(part.checksum)
    await endEmpty(call, 200, { etag: quoted(part.etag), ...headers })
  } finally {
    await staged.discard()
  }
}

export const abortMultipartUpload = async (call: S3Call): Promise<void> => {
  const { uploads } = await call.storage.bucket(call.bucket)
  await call.uploadLocks.run(uploadIdOf(call), async () => {
    const upload = await uploads.get(uploadIdOf(call), call.key)
    await uploads.remove(upload.uploadId)
  })
  await endEmpty(call, 204)
}

interface NamedPart {
  readonly partNumber: number
  /** Without quotes. */
  readonly etag: string
  readonly xml: XmlValue
}

const readNamedParts = (body: Buffer): NamedPart[] => {
  const parts = childrenNamed(parseS3Document(body, 'CompleteMultipartUpload'), 'Part').map((xml) => {
    const number = textOf(xml, 'PartNumber') ?? ''
    const etag = textOf(xml, 'ETag')
    if (!/^\d{1,5}$/.test(number) || etag === undefined) throw malformedXml()
    return { partNumber: Number(number), etag: etag.replace(/^"(.*)"$/, '$1'), xml }
  })
  if (parts.length === 0 || parts.length > maxPartNumber) throw malformedXml()
  if (parts.some((part, index) => index > 0 && part.partNumber <= parts[index - 1]!.partNumber)) {
    throw s3Error(
      'InvalidPartOrder',
      400,
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
    )
  }
  return parts
}

/** The uploaded parts that were named. Throws `InvalidPart`, `EntityTooSmall`. */
const selectParts = (named: readonly NamedPart[], uploaded: readonly UploadedPart[]): UploadedPart[] => {
  const byNumber = new Map(uploaded.map((part) => [part.partNumber, part]))
  const selected = named.map(({ partNumber, etag, xml }) => {
    const part = byNumber.get(partNumber)
    const checksum = part?.checksum && textOf(xml, checksumElement(part.checksum.algorithm))
    if (part?.etag !== etag || (checksum !== undefined && checksum !== part.checksum?.value)) {
      throw s3Error(
        'InvalidPart',
        400,
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        { PartNumber: partNumber, ETag: etag },
      )
    }
    return part
  })
  for (const part of selected.slice(0, -1)) {
    if (part.size < minPartBytes) {
      throw s3Error('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size', {
        ProposedSize: part.size,
        MinSizeAllowed: minPartBytes,
        PartNumber: part.partNumber,
        ETag: part.etag,
      })
    }
  }
  return selected
}

const multipartEtag = (etags: readonly string[]): string => {
  const hash = createHash('md5')
  for (const etag of etags) hash.update(Buffer.from(etag, 'hex'))
  return `${hash.digest('hex')}-${etags.length}`
}

/** Joins the parts and puts the object in its place. */
const assemble = async (
  call: S3Call,
  objects: Bucket,
  uploads: MultipartUploads,
  upload: MultipartUpload,
  parts: readonly UploadedPart[],
) => {
  const total = parts.reduce((sum, part) => sum + part.size, 0)
  const stated = call.headers.get('x-amz-mp-object-size')
  if (stated !== undefined && Number(stated) !== total) {
    throw s3Error(
      'InvalidRequest',
      400,
      `The provided 'x-amz-mp-object-size' header does not match what was computed: ${total}.`,
    )
  }
  const conditions = readWriteConditions(call.headers)
  // Before the bytes are joined, to be quick; and once more, for good, when the object is put in its place.
  checkWriteConditions(conditions, call.key, (await objects.find(call.key))?.etag)
  const fullObject = upload.checksumType === 'FULL_OBJECT'
  const staged = await stageBody(
    call.storage,
    { chunks: uploads.read(upload, parts), trailers: new Map() },
    { algorithm: fullObject ? upload.checksumAlgorithm : undefined },
  )
  try {
    const values = parts.map((part) => part.checksum?.value).filter((value) => value !== undefined)
    const checksum: Checksum | undefined =
      staged.checksum ??
      (upload.checksumAlgorithm && values.length === parts.length
        ? compositeChecksum(upload.checksumAlgorithm, values)
        : undefined)
    return await objects.write(
      call.key,
      {
        headers: upload.headers,
        userMetadata: upload.userMetadata,
        filePath: staged.filePath,
        size: staged.size,
        etag: multipartEtag(parts.map((part) => part.etag)),
        checksum,
        partSizes: parts.map((part) => part.size),
        uploadId: upload.uploadId,
      },
      conditions,
    )
  } finally {
    await staged.discard()
  }
}

/** Answers a completion: the first, or a repeated one whose object is there. */
export const completeMultipartUpload = async (call: S3Call): Promise<void> => {
  const { objects, uploads } = await call.storage.bucket(call.bucket)
  const uploadId = uploadIdOf(call)
  const named = readNamedParts(await readXmlBody(call))
  const metadata = await call.uploadLocks.run(uploadId, async () => {
    const existing = await objects.find(call.key)
    if (existing?.uploadId === uploadId && existing.etag === multipartEtag(named.map((part) => part.etag))) {
      await uploads.remove(uploadId)
      return existing
    }
    const upload = await uploads.get(uploadId, call.key)
    const completed = await assemble(
      call,
      objects,
      uploads,
      upload,
      selectParts(named, await uploads.parts(upload)),
    )
    await uploads.remove(uploadId)
    return completed
  })
  const { checksum } = metadata
  await endXml(
    call,
    s3Document(
      'CompleteMultipartUploadResult',
      element('Location', `http://${call.headers.get('host')}/${call.bucket}/${call.key}`),
      element('Bucket', call.bucket),
      element('Key', call.key),
      element('ETag', quoted(metadata.etag)),
      checksum ? element(checksumElement(checksum.algorithm), checksum.value) : '',
      checksum ? element('ChecksumType', checksum.type) : '',
    ),
  )
}
