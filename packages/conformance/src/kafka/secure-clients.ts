import { expect, it } from 'vitest'
import { CaseCluster, type KafkaSecurity, refusal } from './case-cluster.ts'
import { type KafkaSecuritySubject, mechanisms, saslOf } from './describe-kafka-security.ts'

/** Every listener with each way in. */
const waysIn = (subject: () => KafkaSecuritySubject) => [
  ...mechanisms.map((mechanism) => ({
    what: `${mechanism} over TLS`,
    brokers: () => subject().saslTlsBrokers,
    security: (): KafkaSecurity => ({ ssl: { ca: subject().ca }, sasl: saslOf(mechanism, subject().user) }),
  })),
  ...mechanisms.map((mechanism) => ({
    what: `${mechanism} over plaintext`,
    brokers: () => subject().saslPlaintextBrokers,
    security: (): KafkaSecurity => ({ sasl: saslOf(mechanism, subject().user) }),
  })),
  {
    what: 'a certificate of the client',
    brokers: () => subject().mutualTlsBrokers,
    security: (): KafkaSecurity => ({ ssl: { ca: subject().ca, ...subject().client } }),
  },
]

/** Clients with the right credentials. */
export const secureClientCases = (subject: () => KafkaSecuritySubject): void => {
  const ways = waysIn(subject)
  const secureCase = (
    sentence: string,
    way: (typeof ways)[number],
    run: (cluster: CaseCluster) => Promise<void>,
  ) => {
    it(sentence, async () => {
      const cluster = new CaseCluster({ brokers: way.brokers() }, way.security())
      try {
        await run(cluster)
      } finally {
        await cluster.close()
      }
    })
  }

  // The first case of all: no coordinator has been asked for before.
  secureCase(
    'the first group of a fresh broker reads, however often kafkajs begins anew',
    ways[0]!,
    async (cluster) => {
      const topic = await topicOf(cluster)
      await (await cluster.producer()).send({ topic, messages: [{ value: 'a' }] })
      const consumer = await cluster.consumer({ groupId: cluster.name('group') })
      await consumer.subscribe({ topic, fromBeginning: true })
      const received = new Promise<string>((resolve, reject) => {
        consumer.on('consumer.crash', ({ payload }) => {
          if (!payload.restart) reject(payload.error)
        })
        consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) }).catch(reject)
      })
      expect(await received).toBe('a')
    },
  )

  for (const way of ways) {
    secureCase(`${way.what}: kafkajs creates a topic, writes, and reads as a group`, way, async (cluster) => {
      const topic = await topicOf(cluster)
      const producer = await cluster.producer()
      await producer.send({ topic, messages: [{ value: 'a' }, { value: 'b' }] })
      const received = await cluster.consume(topic, 2)
      expect(received.map(({ message }) => String(message.value))).toEqual(['a', 'b'])
    })

    secureCase(`${way.what}: the broker is advertised as the client found it`, way, async (cluster) => {
      const { brokers } = await (await cluster.admin()).describeCluster()
      expect(brokers.map(({ host, port }) => `${host}:${port}`)).toEqual(way.brokers())
    })
  }

  secureCase(
    'a broker that creates no topic by itself creates none for a producer either',
    ways[0]!,
    async (cluster) => {
      const topic = cluster.name('missing')
      const producer = await cluster.producer({ allowAutoTopicCreation: true }, 1)
      const error = await refusal(producer.send({ topic, messages: [{ value: 'a' }] }))
      expect(error).toMatchObject({ name: 'KafkaJSNumberOfRetriesExceeded' })
      expect(error.cause).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true })
      expect(await (await cluster.admin()).listTopics()).not.toContain(topic)
    },
  )
}

const topicOf = async (cluster: CaseCluster): Promise<string> => {
  const topic = cluster.name('topic')
  const admin = await cluster.admin()
  // Apache Kafka answers before its metadata knows the topic, and kafkajs gives up on that here.
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic }] })
  await cluster.until(
    () => admin.listTopics(),
    (topics) => topics.includes(topic),
  )
  return topic
}
