import { notImplemented, s3Error } from './s3-error.ts'

/** The operations the embedded S3 has, by the names of the API. */
export type S3Operation =
  | 'ListBuckets'
  | 'CreateBucket'
  | 'HeadBucket'
  | 'DeleteBucket'
  | 'GetBucketLocation'
  | 'GetBucketVersioning'
  | 'GetBucketLifecycleConfiguration'
  | 'ListObjects'
  | 'ListObjectsV2'
  | 'ListMultipartUploads'
  | 'DeleteObjects'
  | 'PutObject'
  | 'CopyObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'UploadPartCopy'
  | 'ListParts'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'

/** What a request is addressed to; empty where it names none. */
export interface S3Address {
  readonly bucket: string
  readonly key: string
}

/** Query parameters that turn a request into another operation. */
const subResources = new Set([
  'abac',
  'accelerate',
  'acl',
  'analytics',
  'append',
  'attributes',
  'cors',
  'delete',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'location',
  'logging',
  'metadataConfiguration',
  'metadataTable',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'renameObject',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'session',
  'tagging',
  'torrent',
  'uploads',
  'versioning',
  'versions',
  'website',
])

const bucketOperations: Readonly<Record<string, S3Operation>> = {
  'PUT ': 'CreateBucket',
  'HEAD ': 'HeadBucket',
  'DELETE ': 'DeleteBucket',
  'GET location': 'GetBucketLocation',
  'GET versioning': 'GetBucketVersioning',
  'GET lifecycle': 'GetBucketLifecycleConfiguration',
  'GET uploads': 'ListMultipartUploads',
  'POST delete': 'DeleteObjects',
}

const objectOperations: Readonly<Record<string, S3Operation>> = {
  'PUT ': 'PutObject',
  'GET ': 'GetObject',
  'HEAD ': 'HeadObject',
  'DELETE ': 'DeleteObject',
  'POST uploads': 'CreateMultipartUpload',
  'PUT uploadId': 'UploadPart',
  'GET uploadId': 'ListParts',
  'POST uploadId': 'CompleteMultipartUpload',
  'DELETE uploadId': 'AbortMultipartUpload',
}

/** Bucket and key of a request: path style, or virtual-host style with a host `<bucket>.localhost`. */
export const readAddress = (rawPath: string, host: string): S3Address => {
  const path = decodeURIComponent(rawPath).slice(1)
  const virtual = /^(.+)\.localhost(?::\d+)?$/i.exec(host)?.[1]
  const slash = path.indexOf('/')
  const [bucket, key] =
    virtual !== undefined
      ? [virtual.toLowerCase(), path]
      : slash < 0
        ? [path, '']
        : [path.slice(0, slash), path.slice(slash + 1)]
  if (bucket === '' && key !== '') {
    throw s3Error('InvalidBucketName', 400, 'The specified bucket is not valid.', { BucketName: '' })
  }
  if (Buffer.byteLength(key) > 1_024) {
    throw s3Error('KeyTooLongError', 400, 'Your key is too long', {
      Size: Buffer.byteLength(key),
      MaxSizeAllowed: 1_024,
    })
  }
  if (key.includes('\0')) throw notImplemented('keys with a NUL character')
  return { bucket, key }
}

/** The operation a request asks for. Throws `NotImplemented`, naming the sub-resource, for those we have not. */
export const readOperation = (
  method: string,
  address: S3Address,
  query: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
): S3Operation => {
  if (address.bucket === '') {
    if (method === 'GET') return 'ListBuckets'
    throw methodNotAllowed(method)
  }
  if (query.has('versionId') && query.get('versionId') !== 'null') throw notImplemented('versions of objects')
  const named = [...query.keys()].filter((name) => subResources.has(name))
  const resource = query.has('uploadId') ? 'uploadId' : (named[0] ?? '')
  if (address.key === '') {
    if (method === 'GET' && resource === '') {
      return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects'
    }
    const operation = bucketOperations[`${method} ${resource}`]
    if (operation) return operation
    throw resource === '' ? methodNotAllowed(method) : notImplemented(`${method} of a bucket's ?${resource}`)
  }
  const operation = objectOperations[`${method} ${resource}`]
  if (!operation) {
    throw resource === '' ? methodNotAllowed(method) : notImplemented(`${method} of an object's ?${resource}`)
  }
  const copies = headers.has('x-amz-copy-source')
  if (operation === 'PutObject' && copies) return 'CopyObject'
  return operation === 'UploadPart' && copies ? 'UploadPartCopy' : operation
}

const methodNotAllowed = (method: string) =>
  s3Error('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    Method: method,
  })
