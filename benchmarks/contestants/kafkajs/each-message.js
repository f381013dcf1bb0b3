import { consumeTrades } from './trades-consumer.js'

// kafkajs as its documentation begins: a handler that gets one message.
await consumeTrades((trades) => ({
  eachMessage: async ({ partition, message }) => {
    trades.add(partition, message)
    trades.counted(1)
    if (trades.isAtEnd(partition)) await trades.endPartition(partition)
    else if (trades.isFull()) await trades.flush()
  },
}))
