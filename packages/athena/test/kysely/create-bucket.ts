import { AthenaClient } from '@aws-sdk/client-athena'
import type { LocalStack } from '@stockpipe/local'

/** This package has no S3 client: the signer of an Athena client signs the one request. */
export const createBucket = async (aws: LocalStack['aws'], bucket: string): Promise<void> => {
  const { endpoint, region, accessKeyId, secretAccessKey } = aws
  // A client of its own: asking for a signer changes what it signs for.
  const client = new AthenaClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  const signer = await client.config.signer({
    name: 'sigv4',
    signingName: 's3',
    signingRegion: region,
    properties: {},
  })
  client.destroy()
  const { hostname, port, host } = new URL(aws.endpoint)
  const request = {
    method: 'PUT',
    protocol: 'http:',
    hostname,
    port: Number(port),
    path: `/${bucket}`,
    query: {},
    headers: { host },
  }
  const { headers } = await signer.sign(request as never, { signingService: 's3' } as never)
  const { host: _, ...sent } = headers
  const response = await fetch(`${aws.endpoint}/${bucket}`, { method: 'PUT', headers: sent })
  if (!response.ok) throw new Error(`The bucket ${bucket} cannot be made: ${await response.text()}`)
}
