import { AthenaClient } from '@aws-sdk/client-athena'
import type { LocalStack } from '@stockpipe/local'

export const athenaClient = ({ endpoint, region, accessKeyId, secretAccessKey }: LocalStack['aws']) =>
  new AthenaClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })

/** This package has no S3 client: the signer of an Athena client of its own signs the one request. */
export const createBucket = async (aws: LocalStack['aws'], bucket: string): Promise<void> => {
  const client = athenaClient(aws)
  const signer = await client.config.signer({
    name: 'sigv4',
    signingName: 's3',
    signingRegion: aws.region,
    properties: {},
  })
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
  client.destroy()
  const { host: _, ...sent } = headers
  const response = await fetch(`${aws.endpoint}/${bucket}`, { method: 'PUT', headers: sent })
  if (response.status !== 200) throw new Error(`${bucket}: ${response.status} ${await response.text()}`)
}
