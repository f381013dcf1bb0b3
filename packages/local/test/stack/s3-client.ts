import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { LocalStack } from '../../src/local-stack.ts'

/** The unmodified S3 client, pointed at a stack. */
export const s3ClientFor = (stack: Pick<LocalStack, 'aws'>, config: S3ClientConfig = {}): S3Client =>
  new S3Client({
    endpoint: stack.aws.endpoint,
    region: stack.aws.region,
    credentials: { accessKeyId: stack.aws.accessKeyId, secretAccessKey: stack.aws.secretAccessKey },
    forcePathStyle: true,
    ...config,
  })
