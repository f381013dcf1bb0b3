import { ServiceError } from '../http/json-service.ts'

/** A refusal in S3's words. */
export const s3Error = (
  code: string,
  statusCode: number,
  message: string,
  members: Readonly<Record<string, unknown>> = {},
): ServiceError => new ServiceError(code, message, { statusCode, members })

export const noSuchBucket = (bucket: string) =>
  s3Error('NoSuchBucket', 404, 'The specified bucket does not exist', { BucketName: bucket })

export const noSuchKey = (key: string) =>
  s3Error('NoSuchKey', 404, 'The specified key does not exist.', { Key: key })

export const noSuchUpload = (uploadId: string) =>
  s3Error(
    'NoSuchUpload',
    404,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { UploadId: uploadId },
  )

export const preconditionFailed = (condition: string) =>
  s3Error('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
    Condition: condition,
  })

export const invalidArgument = (name: string, value: string, message: string) =>
  s3Error('InvalidArgument', 400, message, { ArgumentName: name, ArgumentValue: value })

export const malformedXml = () =>
  s3Error(
    'MalformedXML',
    400,
    'The XML you provided was not well-formed or did not validate against our published schema',
  )

/** What the real S3 has and the embedded one has not. */
export const notImplemented = (what: string) =>
  s3Error('NotImplemented', 501, `The embedded S3 of @stockpipe/local does not have ${what}.`)
