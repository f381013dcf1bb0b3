import { AthenaClient } from '@aws-sdk/client-athena'
import { type LocalStack, startLocalStack } from '@stockpipe/local'
import { afterAll, beforeAll, expect } from 'vitest'
import { type Athena, createAthena } from '../src/index.ts'

export interface LocalAthena {
  readonly athena: Athena
  readonly client: AthenaClient
  /** Puts an object, or with no key the bucket. */
  put(bucket: string, key?: string, body?: Uint8Array): Promise<void>
}

/** An `Athena` over a local stack, for the tests of the file that calls this while it is loaded. */
export const localAthena = (database: string): (() => LocalAthena) => {
  let stack: LocalStack | undefined
  let local: LocalAthena | undefined
  beforeAll(async () => {
    stack = await startLocalStack({ httpPort: 0, kafkaPort: 0 })
    const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
    const connection = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
    const client = new AthenaClient(connection)
    const put = putter(new AthenaClient(connection), endpoint, region)
    await put('results')
    const athena = createAthena({
      client,
      database,
      outputLocation: 's3://results/athena/',
      poll: { initialMillis: 10, maximumMillis: 50 },
    })
    local = { athena, client, put }
  })
  afterAll(async () => {
    local?.client.destroy()
    await stack?.close()
  })
  return () => {
    if (!local) throw new Error('the local stack is started before the tests')
    return local
  }
}

/** This package has no S3 client: the signer of an Athena client of its own signs the request. */
const putter =
  (client: AthenaClient, endpoint: string, region: string): LocalAthena['put'] =>
  async (bucket, key, body) => {
    const signer = await client.config.signer({
      name: 'sigv4',
      signingName: 's3',
      signingRegion: region,
      properties: {},
    })
    const { hostname, port, host } = new URL(endpoint)
    const path = key === undefined ? `/${bucket}` : `/${bucket}/${key}`
    const request = {
      method: 'PUT',
      protocol: 'http:',
      hostname,
      port: Number(port),
      path,
      query: {},
      headers: { host },
      ...(body ? { body } : {}),
    }
    const { headers } = await signer.sign(request as never, { signingService: 's3' } as never)
    const { host: _, ...sent } = headers
    const response = await fetch(`${endpoint}${path}`, {
      method: 'PUT',
      headers: sent,
      ...(body ? { body: Buffer.from(body) } : {}),
    })
    expect(response.status, await response.text()).toBe(200)
  }
