import { built } from '../memory/quotes-table.js'
import { s3Client } from '../stack/plain-clients.js'

const { createEncoder, defineTable, defineTopic, RecordBlockBuilder, t } = await built('core')
const { createPushSink } = await built('s3-sink')

const table = defineTable('orders', {
  columns: {
    serial: t.recordOffset(),
    tags: t.list(t.string().nullable()).nullable(),
    fees: t.map(t.string(), t.decimal(9, 2).nullable()).nullable(),
    days: t.map(t.date(), t.timestamp()),
    legs: t.list(
      t.struct({ price: t.decimal(38, 10), sizes: t.list(t.int64()).nullable(), raw: t.binary() }),
    ),
    venue: t.struct({ name: t.string(), levels: t.map(t.int32(), t.double()) }).nullable(),
  },
})

/** Row `serial`: every third has nulls, every fourth is empty, and elements differ in number. lanes/clients/nested.py knows it too. */
const row = (serial) => {
  const count = serial % 4
  const numbers = Array.from({ length: count }, (_, index) => index)
  return {
    tags:
      serial % 3 === 0 ? null : numbers.map((index) => (index === 1 ? null : `tag ${serial} é🐂 ${index}`)),
    fees:
      serial % 3 === 1
        ? null
        : new Map(numbers.map((index) => [`fee ${index}`, index === 2 ? null : `${serial}.25`])),
    days: new Map(numbers.map((index) => [`2024-03-0${index + 1}`, new Date(serial * 1000 + index)])),
    legs: numbers.map((index) => ({
      price: `-${serial}.000000000${index}`,
      sizes: index === 0 ? null : numbers.map((size) => BigInt(size) - 2n ** 62n),
      raw: Uint8Array.of(serial % 256, index),
    })),
    venue:
      serial % 3 === 2
        ? null
        : { name: `venue ${serial}`, levels: new Map(numbers.map((index) => [-index, index / 2])) },
  }
}

/** Writes `rows` rows with lists, maps and structs below s3://nested/orders/, by the sink. */
export const writeNestedOrders = async ({ endpoint, region, accessKeyId, secretAccessKey }, rows) => {
  const credentials = { accessKeyId, secretAccessKey }
  const client = new s3Client.S3Client({ endpoint, region, credentials, forcePathStyle: true })
  await client.send(new s3Client.CreateBucketCommand({ Bucket: 'nested' }))
  const topic = defineTopic('orders', { table })
  const sink = createPushSink({
    name: 'orders',
    topic,
    table: table.at({ database: 'market', location: 's3://nested/orders/' }),
    client,
    genesis: 0n,
  })
  const encoder = createEncoder(topic)
  const builder = new RecordBlockBuilder({ topic: 'orders', partition: 0, firstOffset: 0n })
  for (let serial = 0; serial < rows; serial += 1) {
    const value = new TextEncoder().encode(encoder.encode(row(serial)).value)
    builder.add({ offset: BigInt(serial), timestampMillis: 0, key: null, value })
  }
  await sink.push(builder.finish())
  await sink.close()
  client.destroy()
}
