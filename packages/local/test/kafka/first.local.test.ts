import { expect, test } from 'vitest'
import { afterTest, kafkajsClient, startTestBroker } from './broker-fixture.ts'

test('kafkajs creates a topic, produces, and consumes in a group', async () => {
  const entries: unknown[] = []
  const broker = await startTestBroker({ onRequest: (entry) => entries.push(entry) })
  const kafka = kafkajsClient(broker)
  const admin = kafka.admin()
  await admin.connect()
  afterTest(() => admin.disconnect())
  expect(await admin.createTopics({ topics: [{ topic: 'trades', numPartitions: 4 }] })).toBe(true)
  const producer = kafka.producer()
  await producer.connect()
  afterTest(() => producer.disconnect())
  for (let i = 0; i < 20; i++)
    await producer.send({ topic: 'trades', messages: [{ key: `k${i}`, value: `v${i}` }] })
  const consumer = kafka.consumer({ groupId: 'g' })
  await consumer.connect()
  afterTest(() => consumer.disconnect())
  await consumer.subscribe({ topic: 'trades', fromBeginning: true })
  const got: string[] = []
  await consumer.run({ eachMessage: async ({ message }) => void got.push(String(message.value)) })
  const start = Date.now()
  while (got.length < 20 && Date.now() - start < 5000) await new Promise((r) => setTimeout(r, 20))
  console.log(entries.filter((e) => (e as { error?: string }).error))
  expect(got.sort()).toEqual(Array.from({ length: 20 }, (_, i) => `v${i}`).sort())
})
