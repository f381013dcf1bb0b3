import { defineTable, defineTopic, identity, t } from '../../packages/core/dist/index.js'

export const partitionCount = 6
export const bucket = 'lake'
export const sinkName = 'numbers'
export const journal = `s3://${bucket}/_stockpipe/journal`

/** Numbered records; each row keeps where its record stood in the log. */
const numbers = defineTable('numbers', {
  columns: {
    id: t.int64(),
    symbol: t.string(),
    kafka_partition: t.recordPartition(),
    kafka_offset: t.recordOffset(),
  },
  partitions: { ticker: identity('symbol') },
})

export const topic = defineTopic('numbers', { table: numbers, partitions: partitionCount })
export const table = numbers.at({ database: 'market', location: `s3://${bucket}/numbers/` })
export const symbols = ['AAPL', 'BRK.B', 'C', 'a b+c%']
/** Every so many records one is no row of the table, and has to become a dead letter. */
export const badEvery = 997
