import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from '../../scripts/workspace.js'

const require = createRequire(join(root, 'packages/cli/package.json'))

/** The unmodified clients, as the packages have them installed. */
export const kafkajs = require('kafkajs')
export const s3Client = require('@aws-sdk/client-s3')
export const athenaClient = require('@aws-sdk/client-athena')
