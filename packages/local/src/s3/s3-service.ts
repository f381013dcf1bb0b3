import type { StreamingService } from '../http/verified-request.ts'
import {
  createBucket,
  deleteBucket,
  deleteObjects,
  getBucketLifecycle,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  listBuckets,
} from './bucket-operations.ts'
import { copyObject, uploadPartCopy } from './copy-operations.ts'
import { answerWithFault } from './faulty-answer.ts'
import type { FileObjectStorage } from './file-object-storage.ts'
import { KeyLocks } from './key-locks.ts'
import { listObjects, listObjectsV2 } from './list-operations.ts'
import { listMultipartUploads, listParts } from './list-uploads-operations.ts'
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  uploadPart,
} from './multipart-operations.ts'
import { refuseUnsupportedHeaders } from './object-headers.ts'
import { deleteObject, getObject, headObject, putObject } from './object-operations.ts'
import type { S3Call } from './s3-call.ts'
import { S3Faults } from './s3-faults.ts'
import { readAddress, readOperation, type S3Operation } from './s3-operation.ts'

const operations: Readonly<Record<S3Operation, (call: S3Call) => Promise<void>>> = {
  ListBuckets: listBuckets,
  CreateBucket: createBucket,
  HeadBucket: headBucket,
  DeleteBucket: deleteBucket,
  GetBucketLocation: getBucketLocation,
  GetBucketVersioning: getBucketVersioning,
  GetBucketLifecycleConfiguration: getBucketLifecycle,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListMultipartUploads: listMultipartUploads,
  DeleteObjects: deleteObjects,
  PutObject: putObject,
  CopyObject: copyObject,
  GetObject: getObject,
  HeadObject: headObject,
  DeleteObject: deleteObject,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  ListParts: listParts,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
}

/**
 * The embedded S3 over a directory of plain files. What it has not, it answers with `NotImplemented`, by name;
 * `faults` happen to requests whose signature holds.
 */
export const createS3Service = (storage: FileObjectStorage, faults = new S3Faults()): StreamingService => {
  const uploadLocks = new KeyLocks()
  return {
    signingName: 's3',
    async handle(request, response) {
      const { headers } = request
      const query = new Map(request.query)
      const address = readAddress(request.rawPath, headers.get('host') ?? '')
      const operation = readOperation(request.method, address, query, headers)
      refuseUnsupportedHeaders(headers)
      const work = () =>
        operations[operation]({ request, response, storage, ...address, query, headers, uploadLocks })
      const fault = faults.take(operation, address)
      await (fault === undefined ? work() : answerWithFault(fault, response, work))
    },
  }
}
