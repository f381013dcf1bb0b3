import { ServiceError } from '../http/json-service.ts'
import { xmlTime } from './object-headers.ts'
import { endEmpty, endXml, objectsOf, type S3Call, wholeNumber } from './s3-call.ts'
import { malformedXml, noSuchBucket, notImplemented, s3Error } from './s3-error.ts'
import { childrenNamed, element, group, owner, parseS3Document, s3Document, textOf } from './s3-xml.ts'
import { readXmlBody } from './xml-body.ts'

const maxDeletedKeys = 1_000

const requireBucket = async (call: S3Call) => {
  const facts = await call.storage.bucketFacts(call.bucket)
  if (!facts) throw noSuchBucket(call.bucket)
  return facts
}

export const listBuckets = async (call: S3Call): Promise<void> => {
  const prefix = call.query.get('prefix') ?? ''
  const after = call.query.get('continuation-token') ?? ''
  const most = wholeNumber(call, 'max-buckets', 10_000)
  const all = (await call.storage.listBuckets()).filter(
    (bucket) => bucket.name.startsWith(prefix) && bucket.name > after,
  )
  const page = all.slice(0, most)
  await endXml(
    call,
    s3Document(
      'ListAllMyBucketsResult',
      owner,
      group(
        'Buckets',
        ...page.map((bucket) =>
          group(
            'Bucket',
            element('Name', bucket.name),
            element('CreationDate', xmlTime(bucket.createdMillis)),
            element('BucketRegion', bucket.region),
          ),
        ),
      ),
      element('ContinuationToken', all.length > page.length ? page.at(-1)?.name : undefined),
      element('Prefix', call.query.get('prefix')),
    ),
  )
}

export const createBucket = async (call: S3Call): Promise<void> => {
  const body = await readXmlBody(call)
  let region: string | undefined
  if (body.length > 0) {
    const configuration = parseS3Document(body, 'CreateBucketConfiguration')
    for (const name of ['Bucket', 'Location', 'Tags']) {
      if (childrenNamed(configuration, name).length > 0) throw notImplemented(`${name} in CreateBucket`)
    }
    region = textOf(configuration, 'LocationConstraint') || undefined
  }
  await call.storage.createBucket(call.bucket, region)
  await endEmpty(call, 200, { location: `/${call.bucket}` })
}

export const headBucket = async (call: S3Call): Promise<void> => {
  const { region } = await requireBucket(call)
  await endEmpty(call, 200, { 'x-amz-bucket-region': region })
}

export const deleteBucket = async (call: S3Call): Promise<void> => {
  await call.storage.deleteBucket(call.bucket)
  await endEmpty(call, 204)
}

export const getBucketLocation = async (call: S3Call): Promise<void> => {
  const { region } = await requireBucket(call)
  const xmlns = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
  const text = region === 'us-east-1' ? '' : region
  await endXml(
    call,
    `<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint ${xmlns}>${text}</LocationConstraint>`,
  )
}

export const getBucketVersioning = async (call: S3Call): Promise<void> => {
  await requireBucket(call)
  await endXml(call, s3Document('VersioningConfiguration'))
}

export const getBucketLifecycle = async (call: S3Call): Promise<void> => {
  await requireBucket(call)
  throw s3Error('NoSuchLifecycleConfiguration', 404, 'The lifecycle configuration does not exist', {
    BucketName: call.bucket,
  })
}

export const deleteObjects = async (call: S3Call): Promise<void> => {
  const objects = await objectsOf(call)
  const document = parseS3Document(await readXmlBody(call, { checksumRequired: true }), 'Delete')
  const asked = childrenNamed(document, 'Object')
  if (asked.length === 0 || asked.length > maxDeletedKeys) throw malformedXml()
  const quiet = textOf(document, 'Quiet') === 'true'
  const results: string[] = []
  for (const object of asked) {
    const key = textOf(object, 'Key')
    if (key === undefined || key === '') throw malformedXml()
    const version = textOf(object, 'VersionId')
    try {
      if (version !== undefined && version !== 'null') throw notImplemented('versions of objects')
      await objects.delete(key, { ifMatch: textOf(object, 'ETag') })
      if (!quiet) results.push(group('Deleted', element('Key', key)))
    } catch (error) {
      const code = error instanceof ServiceError ? error.name : 'InternalError'
      const message = element('Message', error instanceof Error ? error.message : String(error))
      results.push(group('Error', element('Key', key), element('Code', code), message))
    }
  }
  await endXml(call, s3Document('DeleteResult', ...results))
}
