import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { S3Client } from '@aws-sdk/client-s3'
import { Kafka, logLevel } from 'kafkajs'

/** Everything the pipeline talks to: unmodified clients, wherever their services are. */
export interface PipelineServices {
  readonly kafka: Kafka
  readonly s3: S3Client
  readonly glue: GlueClient
  readonly athena: AthenaClient
  /** Where the services are, for people. */
  readonly description: string
  close(): Promise<void>
}

/** How the AWS clients find their services; empty: the usual variables and files. */
interface AwsSettings {
  readonly endpoint?: string
  readonly region?: string
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

const connect = (brokers: string[], aws: AwsSettings, pathStyle: boolean) => {
  const s3 = new S3Client({ ...aws, forcePathStyle: pathStyle })
  const glue = new GlueClient(aws)
  const athena = new AthenaClient(aws)
  return {
    kafka: new Kafka({ clientId: 'full-pipeline', brokers, logLevel: logLevel.NOTHING }),
    s3,
    glue,
    athena,
    destroy: () => {
      for (const client of [s3, glue, athena]) client.destroy()
    },
  }
}

/**
 * Kafka and AWS as `KAFKA_BROKERS` and the usual AWS variables say; without `KAFKA_BROKERS` the local stack,
 * started in this process with its state in `dataDir`.
 */
export const openServices = async (dataDir: string): Promise<PipelineServices> => {
  const brokers = process.env['KAFKA_BROKERS']
  if (brokers) {
    const clients = connect(
      brokers.split(','),
      {},
      Boolean(process.env['AWS_ENDPOINT_URL'] ?? process.env['AWS_ENDPOINT_URL_S3']),
    )
    return {
      ...clients,
      description: `Kafka at ${brokers}, AWS as your environment says`,
      close: async () => clients.destroy(),
    }
  }
  const { startLocalStack } = await import('@stockpipe/local')
  const stack = await startLocalStack({ dataDir, kafkaPort: 0, httpPort: 0 })
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws
  const clients = connect(
    [...stack.kafka.brokers],
    { endpoint, region, credentials: { accessKeyId, secretAccessKey } },
    true,
  )
  return {
    ...clients,
    description: `local stack: Kafka at ${stack.kafka.brokers.join(',')}, S3, Glue and Athena at ${endpoint}, state in ${dataDir}`,
    close: async () => {
      clients.destroy()
      await stack.close()
    },
  }
}
