import { readFileSync } from 'node:fs'
import { s3Client } from '../stack/plain-clients.js'
import { built, partitions, quote, quotesTopic, residentMegabytes } from './quotes-table.js'

// The child of checks/memory-budget.js: writes rows of 1,000 interleaved paths to a sink and says what it took.
const { aws, rows, symbols, blockRows, noteBytes, fileMiB, memory, workers } = JSON.parse(process.argv[2])
const { RecordBlockBuilder } = await built('core')
const { createSink, verifySink } = await built('s3-sink')
const topic = await quotesTopic()
const table = topic.table.at({ database: 'market', location: 's3://lake/quotes/' })
const client = new s3Client.S3Client({
  endpoint: aws.endpoint,
  region: aws.region,
  credentials: { accessKeyId: aws.accessKeyId, secretAccessKey: aws.secretAccessKey },
  forcePathStyle: true,
})
const cuts = new Map()
let [full, mostUsed] = [0, 0]
const sink = createSink({
  name: 'wide',
  topic,
  table,
  client,
  memory,
  workers,
  rotation: { bytes: fileMiB * 1024 * 1024, ageMillis: 3_600_000 },
  onCommit: ({ cutBy }) => cuts.set(cutBy, (cuts.get(cutBy) ?? 0) + 1),
})
sink.on('full', () => {
  full += 1
})
const logs = Array.from({ length: partitions }, (_, partition) => ({ topic: 'quotes', partition }))
await sink.assign(
  logs.map((log) => ({ ...log, logStart: 0n, logEnd: BigInt(rows) })),
  { generation: 1 },
)
const encoder = new TextEncoder()
const ownRows = Math.floor(rows / partitions)
/** Partition p has the symbols p, p + 4, p + 8 ...: as many open paths as symbols over all of them. */
const write = async ({ partition }) => {
  for (let from = 0; from < ownRows; from += blockRows) {
    const builder = new RecordBlockBuilder({ topic: 'quotes', partition, firstOffset: BigInt(from) })
    for (let row = from; row < Math.min(ownRows, from + blockRows); row += 1) {
      const value = encoder.encode(quote(row * partitions + partition, symbols, noteBytes))
      builder.add({ offset: BigInt(row), timestampMillis: 0, key: null, value })
    }
    await sink.write(builder.finish())
    mostUsed = Math.max(mostUsed, sink.memory().usedBytes)
  }
}
await Promise.all(logs.map(write))
await sink.close()
const peakMegabytes = residentMegabytes(readFileSync, 'VmHWM')
const report = await verifySink({ client, journal: 's3://lake/_stockpipe/journal/wide', table })
console.log(
  JSON.stringify({
    peakMegabytes,
    mostUsedBytes: mostUsed,
    full,
    cuts: Object.fromEntries(cuts),
    rows: report.totals.rows,
    files: report.totals.files,
    problems: report.problems.length,
  }),
)
