import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from '../../scripts/workspace.js'

const require = createRequire(join(root, 'packages/cli/package.json'))
const { S3 } = require('@aws-sdk/client-s3')
const { Glue } = require('@aws-sdk/client-glue')
const { Athena } = require('@aws-sdk/client-athena')

/** Unmodified clients of a stack, from the `aws` of its address. */
export const awsClients = ({ endpoint, region, accessKeyId, secretAccessKey }) => {
  const connection = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
  const clients = {
    s3: new S3({ ...connection, forcePathStyle: true }),
    glue: new Glue(connection),
    athena: new Athena(connection),
  }
  const destroy = () => {
    for (const client of Object.values(clients)) client.destroy()
  }
  return { ...clients, destroy }
}
