import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createS3ObjectStore } from '@stockpipe/s3-sink'
import type { ObjectStoreContractSubject, ObjectStoreSubject } from '../src/index.ts'

/** The sink's store over an S3 server. */
export const s3StoreSubject = async (
  server: ObjectStoreSubject & AsyncDisposable,
  bucket = 'object-store-contract',
): Promise<ObjectStoreContractSubject & AsyncDisposable> => {
  const { accessKeyId, secretAccessKey } = server
  const clients: S3Client[] = []
  const clientOf = (endpoint: string, secret: string) => {
    const credentials = { accessKeyId, secretAccessKey: secret }
    const client = new S3Client({ endpoint, region: server.region, credentials, forcePathStyle: true })
    clients.push(client)
    return client
  }
  const client = clientOf(server.endpoint, secretAccessKey)
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  return {
    store: createS3ObjectStore({ client, bucket }),
    forbidden: createS3ObjectStore({ client: clientOf(server.endpoint, 'another secret'), bucket }),
    bucketless: createS3ObjectStore({ client, bucket: `${bucket}-missing` }),
    // Nobody serves TCP's port for multiplexing.
    unreachable: createS3ObjectStore({ client: clientOf('http://127.0.0.1:1', secretAccessKey), bucket }),
    keysAreFilePaths: server.keysAreFilePaths ?? false,
    [Symbol.asyncDispose]: async () => {
      for (const one of clients) one.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}
