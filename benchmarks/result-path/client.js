import { AthenaClient } from '@aws-sdk/client-athena'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createAthena } from '@stockpipe/athena'
import { s3ResultStore } from '@stockpipe/athena/results'
import { t } from '@stockpipe/core'

// Iterates one answer by one path, and prints what that cost this process as one line of JSON.
const { aws, path, rows } = JSON.parse(process.argv[2])
const { endpoint, region, accessKeyId, secretAccessKey } = aws
const settings = { endpoint, region, credentials: { accessKeyId, secretAccessKey } }
const client = new AthenaClient(settings)
const s3 = new S3Client({ ...settings, forcePathStyle: true })
const athena = createAthena({
  client,
  database: 'default',
  outputLocation: 's3://results/answers/',
  resultStore: s3ResultStore(s3),
  poll: { initialMillis: 20, maximumMillis: 100 },
})

/** Trades, as many as wanted: 8 columns of the types they have. */
const query = (count) => ({
  sql: `SELECT CASE (n % 5) WHEN 0 THEN 'AAPL' WHEN 1 THEN 'MSFT' WHEN 2 THEN 'BRK.B' WHEN 3 THEN 'GOOG' ELSE 'NVDA' END AS symbol,
    CAST(n % 100000 AS decimal(18, 4)) / 100 + 100 AS price, CAST(n AS bigint) * 1000003 AS trade_id, n % 1000 AS size,
    date_add('millisecond', n, TIMESTAMP '2024-03-08 14:30:00.000') AS ts, '2024-03-08' AS trade_date,
    n / 7e0 AS weight, CASE WHEN n % 3 = 0 THEN NULL ELSE 'odd lot, regular session' END AS condition
    FROM (SELECT a.x * 1000 + b.y AS n FROM UNNEST(sequence(0, ${count / 1000 - 1})) AS a(x) CROSS JOIN UNNEST(sequence(0, 999)) AS b(y))`,
  columns: {
    symbol: t.string(),
    price: t.decimal(28, 6),
    trade_id: t.int64(),
    size: t.int64(),
    ts: t.timestamp(),
    trade_date: t.string(),
    weight: t.double(),
    condition: t.string().nullable(),
  },
})

const iterate = async (count) => {
  let read = 0
  let ids = 0n
  let begun
  for await (const row of athena.stream({ ...query(count), resultPath: path })) {
    begun ??= performance.now()
    read += 1
    ids += row.trade_id
  }
  const expected = ((BigInt(count) * BigInt(count - 1)) / 2n) * 1000003n
  if (read !== count || ids !== expected)
    throw new Error(`${read} rows of ${count}, the sum of ids is ${ids}`)
  return performance.now() - begun
}

await s3.send(new CreateBucketCommand({ Bucket: 'results' })).catch(() => {})
// What is compiled at first is not what is measured.
await iterate(Math.min(rows, 50_000))
const before = process.cpuUsage()
const wallMillis = await iterate(rows)
const { user, system } = process.cpuUsage(before)
console.log(
  JSON.stringify({
    path,
    cpuMillis: Math.round((user + system) / 1000),
    wallMillis: Math.round(wallMillis),
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
)
client.destroy()
s3.destroy()
