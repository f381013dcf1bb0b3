// What a user's own script does: the unmodified clients and the line that `stockpipe local` printed, nothing of ours.
import assert from 'node:assert/strict'
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { CreateDatabaseCommand, CreateTableCommand, GetTableCommand, GlueClient } from '@aws-sdk/client-glue'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import kafkajs from 'kafkajs'

const {
  kafka: { brokers },
  aws,
} = JSON.parse(process.argv[2])
const { endpoint, region, accessKeyId, secretAccessKey } = aws
const settings = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
const step = (name) => console.log(`ok ${name}`)

const kafka = new kafkajs.Kafka({ clientId: 'plain', brokers, logLevel: kafkajs.logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()
assert.equal(await admin.createTopics({ topics: [{ topic: 'plain', numPartitions: 2 }] }), true)
step('create topic')
const producer = kafka.producer()
await producer.connect()
const messages = Array.from({ length: 100 }, (_, index) => ({ key: `k${index}`, value: `v${index}` }))
await producer.send({ topic: 'plain', messages })
await producer.disconnect()
step('produce')
const consumer = kafka.consumer({ groupId: 'plain' })
await consumer.connect()
await consumer.subscribe({ topic: 'plain', fromBeginning: true })
const values = new Set()
await new Promise((resolve, reject) => {
  consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
  consumer
    .run({
      eachMessage: async ({ message }) => {
        values.add(message.value.toString())
        if (values.size === 100) resolve()
      },
    })
    .catch(reject)
})
await consumer.disconnect()
await admin.disconnect()
step('consume in a group')

const s3 = new S3Client({ ...settings, forcePathStyle: true })
await s3.send(new CreateBucketCommand({ Bucket: 'plain' }))
const put = (Key, Body, extra) => s3.send(new PutObjectCommand({ Bucket: 'plain', Key, Body, ...extra }))
await put('a/one.txt', 'one')
await put('a/two.txt', 'two')
const got = await s3.send(new GetObjectCommand({ Bucket: 'plain', Key: 'a/one.txt' }))
assert.equal(await got.Body.transformToString(), 'one')
const listed = await s3.send(new ListObjectsV2Command({ Bucket: 'plain', Prefix: 'a/' }))
assert.deepEqual(
  listed.Contents.map(({ Key }) => Key),
  ['a/one.txt', 'a/two.txt'],
)
step('put, get, list')
await assert.rejects(put('a/one.txt', 'again', { IfNoneMatch: '*' }), { name: 'PreconditionFailed' })
await put('a/three.txt', 'three', { IfNoneMatch: '*' })
step('conditional put')

const glue = new GlueClient(settings)
await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'plain' } }))
await glue.send(
  new CreateTableCommand({
    DatabaseName: 'plain',
    TableInput: {
      Name: 'nothing',
      TableType: 'EXTERNAL_TABLE',
      Parameters: { classification: 'parquet', EXTERNAL: 'TRUE' },
      StorageDescriptor: {
        Columns: [
          { Name: 'symbol', Type: 'string' },
          { Name: 'price', Type: 'decimal(18,4)' },
        ],
        Location: 's3://plain/nothing/',
        InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
        OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
        SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
      },
    },
  }),
)
const table = await glue.send(new GetTableCommand({ DatabaseName: 'plain', Name: 'nothing' }))
assert.deepEqual(
  table.Table.StorageDescriptor.Columns.map(({ Type }) => Type),
  ['string', 'decimal(18,4)'],
)
step('create and get a table')

const athena = new AthenaClient(settings)
const { QueryExecutionId } = await athena.send(
  new StartQueryExecutionCommand({
    QueryString: "SELECT 7 / 2 AS whole, 'a' || 'b' AS text, count(symbol) AS symbols FROM nothing",
    QueryExecutionContext: { Database: 'plain' },
    ResultConfiguration: { OutputLocation: 's3://plain/results/' },
  }),
)
for (;;) {
  const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }))
  const { State, StateChangeReason } = QueryExecution.Status
  if (State === 'SUCCEEDED') break
  assert.ok(State === 'QUEUED' || State === 'RUNNING', `${State}: ${StateChangeReason}`)
  await new Promise((resolve) => setTimeout(resolve, 50))
}
const results = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }))
assert.deepEqual(
  results.ResultSet.Rows.map(({ Data }) => Data.map(({ VarCharValue }) => VarCharValue)),
  [
    ['whole', 'text', 'symbols'],
    ['3', 'ab', '0'],
  ],
)
step('start a query and read its rows')
for (const client of [s3, glue, athena]) client.destroy()
