import { consumeTrades } from './trades-consumer.js'

// kafkajs for throughput: a handler that gets what one fetch brought of a partition.
await consumeTrades((trades) => ({
  eachBatchAutoResolve: false,
  eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
    for (const message of batch.messages) {
      trades.add(batch.partition, message)
      if (trades.isAtEnd(batch.partition)) await trades.endPartition(batch.partition)
      else if (trades.isFull()) await trades.flush()
    }
    trades.counted(batch.messages.length)
    resolveOffset(batch.lastOffset())
    await heartbeat()
  },
}))
