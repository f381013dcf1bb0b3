import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildFast, install, packageFolders } from '../scripts/workspace.js'
import { KafkaWire } from './stack/kafka-wire.js'
import { athenaClient, kafkajs, s3Client } from './stack/plain-clients.js'
import { decodeBatches } from './stack/record-batch.js'
import { freePort, startStack, within } from './stack/stack-process.js'

// `stockpipe local` on a disk that fills up: what finds no room is refused by the error Kafka and S3 have for it, what was
// acknowledged stays, also over a kill -9. A start without room for its lock is refused; with room again all goes on.
// Needs to mount a small tmpfs: Linux, as root.
const mebibyte = 1024 ** 2
const diskBytes = 64 * mebibyte
const topic = 'full'
const bucket = 'full'
/** Room for queries to start with, and not for what they write. */
const littleRoomBytes = 64 * 1024
const boundMillis = 120_000
/** Sizes of what is written, down to what fits into the last free block of nearly every file system. */
const sizes = [mebibyte, 128 * 1024, 16 * 1024, 1024]

const { AthenaClient, GetQueryExecutionCommand, GetQueryResultsCommand, StartQueryExecutionCommand } =
  athenaClient
const { CreateBucketCommand, DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } = s3Client
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

const openS3 = ({ aws }) =>
  new S3Client({
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: { accessKeyId: aws.accessKeyId, secretAccessKey: aws.secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1,
  })

const openKafka = async ({ kafka }) => {
  const client = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ retry: { retries: 0 }, allowAutoTopicCreation: false })
  await producer.connect()
  return { client, producer }
}

/** What was acknowledged: hashes of objects by key, and of records by offset. */
const ledger = { objects: new Map(), records: new Map() }
let written = 0

const putObject = async (s3, size) => {
  const [Key, Body] = [`object-${written++}`, randomBytes(size)]
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))
  ledger.objects.set(Key, sha256(Body))
}

const produce = async (producer, size) => {
  const value = randomBytes(size)
  const [{ baseOffset }] = await producer.send({ topic, messages: [{ value }] })
  ledger.records.set(Number(baseOffset), sha256(value))
}

/** Writes until nothing of any size goes in any more; answers how often each was refused, by the error's name. */
const fill = async (s3, producer) => {
  const refusals = { 's3 507 InsufficientStorage': 0, 'kafka KAFKA_STORAGE_ERROR': 0 }
  const refused = async (write) => {
    try {
      await write()
      return false
    } catch (error) {
      const name = error.$metadata
        ? `s3 ${error.$metadata.httpStatusCode} ${error.name}`
        : `kafka ${error.type ?? error.originalError?.type ?? error.cause?.type ?? error}`
      assert.ok(name in refusals, `a write is refused by ${name}: ${error.message}`)
      refusals[name] += 1
      return true
    }
  }
  for (const size of sizes) {
    for (let full = 0; full < 3; ) {
      const both = [
        await refused(() => putObject(s3, size)),
        await refused(() => produce(producer, Math.min(size, 900_000))),
      ]
      full = both.every(Boolean) ? full + 1 : 0
    }
  }
  return refusals
}

const verify = async (stack) => {
  const s3 = openS3(stack)
  for (const [Key, hash] of ledger.objects) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }))
    assert.equal(
      sha256(Buffer.from(await Body.transformToByteArray())),
      hash,
      `${Key} is not what was acknowledged`,
    )
  }
  s3.destroy()
  const wire = new KafkaWire(Number(stack.kafka.brokers[0].split(':').at(-1)))
  const found = new Map()
  for (let offset = 0; ; ) {
    const { highWatermark, records } = await wire.fetch(topic, 0, offset, false)
    if (offset >= highWatermark) break
    const batches = decodeBatches(records)
    assert.ok(batches.length > 0, `nothing is read at ${offset} below ${highWatermark}`)
    for (const batch of batches) {
      for (const record of batch.records) found.set(record.offset, sha256(record.value))
      offset = batch.lastOffset + 1
    }
  }
  wire.close()
  for (const [offset, hash] of ledger.records) {
    assert.equal(found.get(offset), hash, `the record at ${offset} is not what was acknowledged`)
  }
}

const freeBytes = (directory) => {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

/** Runs a statement to its end; answers how it ended, why, and its rows. */
const query = async ({ aws }, sql) => {
  const athena = new AthenaClient({
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: { accessKeyId: aws.accessKeyId, secretAccessKey: aws.secretAccessKey },
    maxAttempts: 1,
  })
  try {
    const ResultConfiguration = { OutputLocation: `s3://${bucket}/results/` }
    const started = new StartQueryExecutionCommand({ QueryString: sql, ResultConfiguration })
    const { QueryExecutionId } = await athena.send(started)
    for (;;) {
      const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }))
      const { State, StateChangeReason } = QueryExecution.Status
      if (State === 'QUEUED' || State === 'RUNNING') {
        await sleep(20)
        continue
      }
      if (State !== 'SUCCEEDED') return { state: State, reason: StateChangeReason }
      const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }))
      return { state: State, rows: ResultSet.Rows.map(({ Data }) => Data.map((cell) => cell.VarCharValue)) }
    }
  } catch (error) {
    if (error.name !== 'InsufficientStorage') throw error
    return { state: 'refused', reason: error.message }
  } finally {
    athena.destroy()
  }
}

/** Statements that find no room, or too little: each says so, and nothing of them stays. */
const queryOnFullDisk = async (stack, expected) => {
  const numbers = `select n, cast(n * n as varchar) as s, 'b' as p from unnest(sequence(1, 9000)) as a (n)`
  for (const sql of [
    `select a.* from (${numbers}) as a cross join unnest(sequence(1, 10)) as b (m)`,
    `insert into market.t ${numbers}`,
    `create table market.more with (external_location = 's3://${bucket}/more/') as ${numbers}`,
  ]) {
    const { state, reason } = await query(stack, sql)
    console.log(`figure: ${sql.split(' ', 2).join(' ')} is ${state}: ${reason?.slice(0, 200)}`)
    assert.equal(state, expected)
    assert.match(reason, /no space/i, `a full disk is not told of: ${reason}`)
  }
}

/** What there was before the disk was full is all there is. */
const verifyTable = async (stack) => {
  const { rows } = await query(stack, 'select count(*), max(p) from market.t')
  assert.deepEqual(rows?.[1], ['3', 'a'], 'the table is not what it was')
  const { rows: tables } = await query(stack, 'show tables in market')
  assert.deepEqual(tables, [['t']], 'a table of a statement that failed is there')
}

const mounted = () => {
  const directory = mkdtempSync(join(tmpdir(), 'stockpipe-full-disk-'))
  try {
    if (process.platform !== 'linux' || process.getuid() !== 0) throw new Error('not root on Linux')
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'stockpipe-full-disk', directory], {
      stdio: 'pipe',
    })
    return directory
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    console.log(`skipped: this machine does not let us mount a tmpfs: ${error.message.split('\n')[0]}`)
    return undefined
  }
}

const directory = mounted()
if (directory) {
  let stack
  try {
    await install('all')
    await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
    const ballast = join(directory, 'ballast')
    writeFileSync(ballast, Buffer.alloc(16 * mebibyte))
    const options = {
      dataDir: join(directory, 'data'),
      kafkaPort: await freePort(),
      httpPort: await freePort(),
    }
    stack = await startStack(options)
    const s3 = openS3(stack)
    const { client, producer } = await openKafka(stack)
    const admin = client.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
    await admin.disconnect()
    await s3.send(new CreateBucketCommand({ Bucket: bucket }))
    for (const sql of [
      'create database market',
      `create table market.t with (external_location = 's3://${bucket}/t/', partitioned_by = array['p']) as
       select n, cast(n as varchar) as s, 'a' as p from unnest(sequence(1, 3)) as s (n)`,
    ]) {
      assert.equal((await query(stack, sql)).state, 'SUCCEEDED', sql)
    }
    const refusals = await within(fill(s3, producer), boundMillis, 'filling the disk')
    for (const [name, count] of Object.entries(refusals)) assert.ok(count >= 3, `${name}: ${count} refusals`)
    assert.ok(stack.isAlive(), `the stack ended by itself:\n${stack.errorText()}`)
    await within(verify(stack), boundMillis, 'reading on the full disk')
    await within(queryOnFullDisk(stack, 'refused'), boundMillis, 'queries on the full disk')
    truncateSync(ballast, 16 * mebibyte - littleRoomBytes)
    await within(queryOnFullDisk(stack, 'FAILED'), boundMillis, 'queries with too little room')
    appendFileSync(ballast, Buffer.alloc(freeBytes(directory)))
    assert.ok(stack.isAlive(), `a query on a full disk ended the stack:\n${stack.errorText()}`)
    console.log(
      `figure: full with ${freeBytes(directory)} bytes free: ${ledger.objects.size} objects and ${ledger.records.size} records acknowledged, refused: ` +
        Object.entries(refusals)
          .map(([name, count]) => `${count} ${name}`)
          .join(', '),
    )
    await stack.end('SIGKILL')
    await producer.disconnect().catch(() => {})
    s3.destroy()

    await assert.rejects(
      startStack(options),
      /no space is left on its file system/,
      'a start without room for a lock',
    )
    rmSync(ballast)
    stack = await startStack(options)
    await within(verify(stack), boundMillis, 'reading after a kill -9 on the full disk')
    await within(verifyTable(stack), boundMillis, 'queries after a kill -9 on the full disk')
    const again = openS3(stack)
    const kafka = await openKafka(stack)
    const former = ledger.records.size
    for (let round = 0; round < 4; round += 1) {
      await putObject(again, mebibyte)
      await produce(kafka.producer, 900_000)
    }
    assert.equal(ledger.records.size, former + 4)
    const [deleted] = ledger.objects.keys()
    await again.send(new DeleteObjectCommand({ Bucket: bucket, Key: deleted }))
    ledger.objects.delete(deleted)
    await kafka.producer.disconnect()
    again.destroy()
    await verify(stack)
    await stack.end('SIGKILL')
    stack = await startStack(options)
    await verify(stack)
    const { code } = await stack.end('SIGTERM')
    assert.equal(code, 0, 'SIGTERM did not end the stack with 0')
    console.log(
      `figure: after kill -9 on the full disk and another with room again: ${ledger.objects.size} objects and ${ledger.records.size} records, lost 0`,
    )
  } finally {
    if (stack?.isAlive()) await stack.end('SIGKILL')
    execFileSync('umount', ['-l', directory])
    rmSync(directory, { recursive: true, force: true })
  }
}
