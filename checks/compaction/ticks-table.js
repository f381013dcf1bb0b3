import { createRequire } from 'node:module'
import { join } from 'node:path'
import { day, defineTable, defineTopic, t } from '../../packages/core/dist/index.js'
import { createPartitionCatalog } from '../../packages/glue/dist/index.js'
import { root } from '../../scripts/workspace.js'
import { athenaClient, s3Client } from '../stack/plain-clients.js'

export const glueClient = createRequire(join(root, 'packages/glue/package.json'))('@aws-sdk/client-glue')
export const bucket = 'lake'
export const days = ['2024-03-07', '2024-03-08']
const ticks = defineTable('ticks', {
  columns: {
    id: t.int64(),
    symbol: t.string(),
    price: t.decimal(18, 4),
    huge: t.decimal(38, 6).nullable(),
    ts: t.timestamp(),
    tags: t.list(t.string()),
  },
  partitions: { trade_date: day('ts') },
})
export const topic = defineTopic('ticks', { table: ticks, partitions: 1 })
export const table = ticks.at({ database: 'market', location: `s3://${bucket}/ticks/` })

/** What every process of the check talks to the stack with. */
export const clientsOf = (aws) => {
  const settings = { endpoint: aws.endpoint, region: aws.region ?? 'us-east-1', credentials: aws }
  const s3 = new s3Client.S3Client({ ...settings, forcePathStyle: true })
  const glue = new glueClient.GlueClient(settings)
  const athena = new athenaClient.AthenaClient(settings)
  const destroy = () => {
    for (const client of [s3, glue, athena]) client.destroy()
  }
  return { s3, glue, athena, destroy }
}

/** The options of the sink; files of about ten rows. */
export const sinkOptions = ({ s3 }) => ({ name: 'ticks', topic, table, client: s3, workers: 0 })

export const catalogOf = ({ glue }) => createPartitionCatalog({ client: glue, table })
