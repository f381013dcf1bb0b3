import { kafkajs } from '../stack/plain-clients.js'
import { partitionCount, recordValue, topics } from './kafka-ledger.js'

const client = (stack, clientId, retry) =>
  new kafkajs.Kafka({
    clientId,
    brokers: stack.kafka.brokers,
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    retry,
  })

const onPartition = (partition, serials) =>
  serials.map((serial) => ({ key: `k${serial}`, value: recordValue(serial), partition }))

/** Sends to one partition a time; what is answered is acknowledged, what fails may be there or not. */
const sendLoop = async (producer, round, random) => {
  const { ledger, stopping } = round
  while (!stopping.aborted) {
    const partition = random.below(partitionCount)
    const serials = ledger.serials(1 + random.below(40))
    const [{ baseOffset }] = await producer.send({
      topic: topics.plain,
      acks: -1,
      compression: random.chance(0.2) ? kafkajs.CompressionTypes.GZIP : kafkajs.CompressionTypes.None,
      messages: onPartition(partition, serials),
    })
    ledger.acknowledge(topics.plain, partition, baseOffset, serials)
    round.progress(stopping.aborted ? 'retried over a kill' : 'send')
  }
}

/** Sends everything once: an answer that is lost leaves the records unacknowledged. */
export const writePlainly = async (stack, round, random) => {
  const producer = client(stack, 'plain', { retries: 0 }).producer({ allowAutoTopicCreation: false })
  await producer.connect()
  round.onEnd(() => producer.disconnect())
  await sendLoop(producer, round, random)
}

/** Repeats a lost send, over the kill as well, without making a record double. */
export const writeIdempotently = async (stack, round, random) => {
  const retry = { initialRetryTime: 50, maxRetryTime: 500, retries: 100 }
  const producer = client(stack, 'idempotent', retry).producer({
    allowAutoTopicCreation: false,
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  round.onEnd(() => producer.disconnect())
  await sendLoop(producer, round, random)
}

/** Transactions over all partitions with an offset each, one in four of them aborted. */
export const writeInTransactions = async (stack, round, random, name) => {
  const { ledger, stopping } = round
  const group = `offsets-of-${name}`
  const producer = client(stack, name, { initialRetryTime: 50, retries: 1 }).producer({
    allowAutoTopicCreation: false,
    transactionalId: name,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 60_000,
  })
  await producer.connect()
  round.onEnd(() => producer.disconnect())
  while (!stopping.aborted) {
    const fact = { id: ledger.transactions.length + 1, group, serials: [], state: 'open' }
    ledger.transactions.push(fact)
    const transaction = await producer.transaction()
    for (let sends = 1 + random.below(4); sends > 0; sends--) {
      const partition = random.below(partitionCount)
      const serials = ledger.serials(1 + random.below(10))
      fact.serials.push(...serials)
      const messages = onPartition(partition, serials)
      const [{ baseOffset }] = await transaction.send({ topic: topics.transactional, acks: -1, messages })
      ledger.acknowledge(topics.transactional, partition, baseOffset, serials)
    }
    const offsets = [{ topic: topics.transactional, partitions: [{ partition: 0, offset: String(fact.id) }] }]
    await transaction.sendOffsets({ consumerGroupId: group, topics: offsets })
    if (random.chance(0.25)) {
      fact.state = 'aborted'
      await transaction.abort()
    } else {
      fact.state = 'committing'
      await transaction.commit()
      fact.state = 'committed'
    }
    round.progress('transaction')
  }
}

/** A consumer group of this round that commits after each batch. */
export const commitOffsets = async (stack, round) => {
  const { ledger, stopping } = round
  const group = `group-${round.number}`
  const consumer = client(stack, 'consumer', { initialRetryTime: 50, retries: 1 }).consumer({
    groupId: group,
    sessionTimeout: 30_000,
    maxWaitTimeInMs: 50,
    // A consumer that began again after the kill would commit in the next round.
    retry: { initialRetryTime: 50, retries: 1, restartOnFailure: async () => false },
  })
  await consumer.connect()
  round.onEnd(() => consumer.disconnect())
  await consumer.subscribe({ topic: topics.plain, fromBeginning: false })
  const ended = new Promise((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
    stopping.addEventListener('abort', resolve, { once: true })
  })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      if (stopping.aborted) return
      const fact = ledger.groupPartition(group, batch.partition)
      const offset = Number(batch.lastOffset()) + 1
      fact.asked = offset
      await consumer.commitOffsets([
        { topic: topics.plain, partition: batch.partition, offset: String(offset) },
      ])
      fact.acknowledged = offset
      round.progress('offset commit')
    },
  })
  await ended
}
