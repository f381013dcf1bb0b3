import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'
import { awsClients } from './athena/aws-clients.js'
import { address, endAll, endService, start, startLocal } from './clients/programs.js'

// Bars of the same trades, made by Athena and by the PySpark script that @stockpipe/glue ships, as jobs of the local Glue:
// they have to be the same, bar for bar, from one build to the next. `node checks/etl.js [trades]`
const count = Number(process.argv[2] ?? 20_000)
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-etl-'))
const zone = 'America/New_York'
const days = ['2024-11-01', '2024-11-02', '2024-11-03', '2024-11-04']

/** Trades about the midnights of New York over the end of daylight saving time, many of them at the same millisecond. */
const tradeRows = (seed, rows) => {
  let state = seed
  const below = (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  const begins = ['01T04:00', '02T03:58', '03T03:59', '03T05:59', '03T06:00', '04T04:59', '05T04:58']
  const date = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' })
  return Array.from({ length: rows }, () => {
    const symbol = ['IBM', 'BRK.B', "O''Neil", 'a b+c%', 'é/ü'][below(5)]
    const ts = new Date(Date.parse(`2024-11-${begins[below(begins.length)]}:00Z`) + below(2400) * 50)
    const price = below(25) === 0 ? 'NULL' : `${below(1000)}.${String(below(10000)).padStart(4, '0')}`
    const size = below(25) === 0 ? 'NULL' : `${below(1_000_000)}${'0'.repeat(below(6))}`
    const sequence = below(10) === 0 ? 'NULL' : String(below(5))
    const time = ts.toISOString().replace('T', ' ').slice(0, 23)
    const nanos = `${ts.getTime()}${String(below(1_000_000)).padStart(6, '0')}`
    return `('${symbol}', CAST(${price} AS decimal(18, 4)), CAST(${size} AS bigint), CAST(${size} AS decimal(20, 2)), TIMESTAMP '${time}', CAST(${sequence} AS bigint), ${nanos}, '${date.format(ts)}')`
  })
}

const run = async (aws) => {
  const of = async (name) => import(join(root, 'packages', name, 'dist/index.js'))
  const [core, athenaPackage, gluePackage, sink] = await Promise.all(
    ['core', 'athena', 'glue', 's3-sink'].map(of),
  )
  const { t } = core
  const client = aws.glue
  await aws.s3.createBucket({ Bucket: 'lake' })
  const athena = athenaPackage.createAthena({
    client: aws.athena,
    database: 'market',
    outputLocation: 's3://lake/results/',
    poll: { initialMillis: 20, maximumMillis: 200 },
  })
  const trades = core
    .defineTable('trades', {
      columns: {
        symbol: t.string(),
        price: t.decimal(18, 4).nullable(),
        size: t.int64().nullable(),
        lots: t.decimal(20, 2).nullable(),
        ts: t.timestamp(),
        sequence: t.int64().nullable(),
        nanos: t.epochNanos(),
      },
      partitions: { trade_date: core.day('ts', { timeZone: zone }) },
    })
    .at({ database: 'market', location: 's3://lake/trades/' })
  await gluePackage.ensureDatabase({ client, database: 'market' })
  await gluePackage.ensureTable({ client, table: trades })
  const insert = async (rows) => {
    for (let from = 0; from < rows.length; from += 1000) {
      await athena.queryText({ sql: `INSERT INTO trades VALUES ${rows.slice(from, from + 1000).join(', ')}` })
    }
  }
  await insert(tradeRows(1, count))

  const store = sink.createS3ObjectStore({ client: aws.s3, bucket: 'lake' })
  const source = await gluePackage.barsScript()
  const script = await gluePackage.uploadJobScript({
    store,
    bucket: 'lake',
    name: 'trades_to_bars.py',
    source,
  })
  const job = gluePackage.barsJob({ name: 'trades_to_bars', role: 'etl', script })
  await gluePackage.ensureJob({ client, job })
  const writers = {
    athena: gluePackage.athenaBarsWriter(athena),
    unload: gluePackage.athenaBarsWriter(athena, { statement: 'UNLOAD' }),
    spark: gluePackage.glueBarsWriter({
      client,
      job,
      store,
      poll: { initialMillis: 100, maximumMillis: 1000 },
    }),
  }
  const cases = [
    { interval: 'minute', size: 'size', tieBreak: 'sequence', timeZone: zone },
    { interval: 'day', size: 'size', tieBreak: 'sequence', timeZone: zone },
    { interval: 'day', size: 'lots' },
    // Ordered to the nanosecond; an hour of India begins at half past one of UTC.
    { interval: { minutes: 60 }, size: 'lots', time: 'nanos', timeZone: 'Asia/Kolkata' },
    { interval: { minutes: 5 }, size: 'size', tieBreak: 'sequence', timeZone: zone },
  ]
  let compared = 0
  for (const round of [1, 2]) {
    if (round === 2) await insert(tradeRows(2, Math.ceil(count / 10)))
    for (const [index, one] of cases.entries()) {
      // Once over added trades is enough of what takes Spark a start each.
      if (round === 2 && index !== 1) continue
      const answers = []
      for (const [engine, write] of Object.entries(writers)) {
        const name = `bars_${index}_${engine}`
        const bars = gluePackage.defineBars(trades, {
          symbol: 'symbol',
          price: 'price',
          time: 'ts',
          ...one,
          name,
          location: `s3://lake/${name}/`,
        })
        await gluePackage.ensureTable({ client, table: bars.table })
        const built = await gluePackage.buildBars({ client, bars, days, write, store })
        assert.equal(
          built.created.length + built.replaced.length,
          days.length,
          `${name}: ${JSON.stringify(built)}`,
        )
        const { rows } = await athena.queryText({ sql: `SELECT * FROM ${name} ORDER BY symbol, 2, bar_date` })
        answers.push(rows)
      }
      assert.ok(answers[0].length >= 20, `${answers[0].length} bars`)
      for (const other of answers.slice(1)) assert.deepEqual(other, answers[0])
      compared += answers[0].length
    }
  }
  // Nor is anything left in the catalog.
  const { TableList } = await client.getTables({ DatabaseName: 'market' })
  assert.deepEqual(
    TableList.map(({ Name }) => Name).filter((name) => name.includes('__run_')),
    [],
  )
  // What a run was to do is gone with it.
  const listed = await aws.s3.listObjectsV2({ Bucket: 'lake', Prefix: 'bars_0_spark/_manifests/' })
  assert.equal(listed.KeyCount ?? 0, 0)
  console.log(
    `figure: ${compared} bars of ${count} trades and more by Spark, equal to those by Athena, by CREATE TABLE AS and by UNLOAD`,
  )
}

try {
  const requirements = 'lanes/clients/athena-requirements.txt'
  const clients = await address(
    'clients of Athena',
    start(process.execPath, ['lanes/clients/start', requirements]),
  )
  const spark = clients && (await address('Spark', start(process.execPath, ['lanes/spark/start'])))
  if (spark !== undefined) {
    await install('all')
    await buildFast(packageFolders.filter((folder) => !['examples', 'benchmarks'].includes(folder)))
    const PATH = [dirname(clients.python), process.env.PATH].join(delimiter)
    const JAVA_TOOL_OPTIONS = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'
    const env = { ...process.env, PATH, JAVA_TOOL_OPTIONS, SPARK_HOME: spark.sparkHome }
    const service = startLocal(['--data-dir', dataDir], { env })
    const addresses = await address('stockpipe local', service)
    const aws = awsClients(addresses.aws)
    await run(aws)
    aws.destroy()
    await endService('stockpipe local', service)
  }
} finally {
  await endAll()
  rmSync(dataDir, { recursive: true, force: true })
}
