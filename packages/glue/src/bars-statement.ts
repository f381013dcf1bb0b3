import { formatDate, type PartitionDefinition, parseDate } from '@stockpipe/core'
import { type BarsDefinition, barPartition } from './bars-definition.ts'
import type { PartitionFilter } from './partition-expression.ts'

const name = (text: string): string => `"${text.replaceAll('"', '""')}"`
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The day so many days later. */
const later = (date: string, days: number): string => formatDate(parseDate(date)! + days)

/** The time of a trade as a timestamp(3) of UTC, nanoseconds cut down to the millisecond. */
const instantOf = (bars: BarsDefinition): string => {
  const time = name(bars.time)
  if (!isNanos(bars)) return time
  // In days and the rest: date_add takes no number beyond 32 bits.
  const millis = `${time} % 86400000000000 / 1000000 - IF(${time} % 1000000 < 0, 1, 0)`
  return `date_add('millisecond', ${millis}, date_add('day', ${time} / 86400000000000, TIMESTAMP '1970-01-01 00:00:00.000'))`
}

const isNanos = ({ source, time }: BarsDefinition): boolean =>
  source.table.column(time).type.kind === 'epochNanos'

/**
 * The SELECT of the bars of these days, as Athena runs it: the columns of the table of bars, in order, and `bar_date`.
 * The partitions of the trades that cannot hold such a trade are not read.
 *
 * @param days `2024-01-02`, in the time zone of the bars
 */
export const barsQuery = (bars: BarsDefinition, days: readonly string[]): string => {
  const { source, minutes, tieBreak } = bars
  const local =
    bars.timeZone === 'UTC'
      ? 'made_at'
      : `at_timezone(with_timezone(made_at, 'UTC'), ${literal(bars.timeZone)})`
  const date = `CAST(${local} AS date)`
  const sinceMidnight = `date_diff('millisecond', date_trunc('day', ${local}), ${local})`
  // A minute of the exchange begins with a minute of UTC; five of them need not.
  const begin =
    minutes === undefined
      ? date
      : minutes === 1
        ? `date_trunc('minute', made_at)`
        : `date_add('millisecond', -(${sinceMidnight} % ${minutes * 60_000}), made_at)`
  const beginName = minutes === undefined ? 'day' : 'start'
  const order = isNanos(bars) ? 'nanos' : 'made_at'
  const orders = (direction: 'ASC' | 'DESC') => {
    const nulls = direction === 'ASC' ? 'NULLS FIRST' : 'NULLS LAST'
    return [
      `${order} ${direction}`,
      ...(tieBreak === undefined ? [] : [`tie_break ${direction} ${nulls}`]),
      `price ${direction}`,
    ].join(', ')
  }
  const rank = (direction: 'ASC' | 'DESC') =>
    `row_number() OVER (PARTITION BY symbol, ${beginName} ORDER BY ${orders(direction)})`
  const volume = bars.table.table.column('volume').type
  const sum = volume.kind === 'decimal' ? `decimal(38, ${volume.scale})` : 'bigint'
  const more = [
    ...(isNanos(bars) ? [`${name(bars.time)} AS nanos`] : []),
    ...(tieBreak === undefined ? [] : [`${name(tieBreak)} AS tie_break`]),
  ]
  return `WITH trades AS (
  SELECT ${[`${name(bars.symbol)} AS symbol`, `${name(bars.price)} AS price`, `${name(bars.size)} AS size`, `${instantOf(bars)} AS made_at`, ...more].join(', ')}
  FROM ${name(source.database)}.${name(source.table.name)}
  WHERE ${tradeConditions(bars, days).join('\n    AND ')}
), dated AS (
  SELECT *, ${begin} AS ${beginName}, CAST(${date} AS varchar) AS ${barPartition}
  FROM trades
), ranked AS (
  SELECT symbol, ${beginName}, price, size, ${barPartition},
    ${rank('ASC')} AS from_first,
    ${rank('DESC')} AS from_last
  FROM dated
  WHERE ${barPartition} IN (${days.map(literal).join(', ')})
)
SELECT symbol, ${beginName},
  max(CASE WHEN from_first = 1 THEN price END) AS open, max(price) AS high, min(price) AS low,
  max(CASE WHEN from_last = 1 THEN price END) AS close,
  CAST(sum(size) AS ${sum}) AS volume, count(*) AS trades, ${barPartition}
FROM ranked
GROUP BY symbol, ${beginName}, ${barPartition}`
}

/**
 * The CREATE TABLE AS of the bars of at most 100 days as a table of their own, whose files go to an empty folder, one
 * `bar_date=2024-01-02/` a day that has any. A work group that prescribes where results go refuses it.
 *
 * @param folder `s3://bucket/prefix/`
 * @param table its name, in the database of the bars
 */
export const barsTable = (
  bars: BarsDefinition,
  days: readonly string[],
  folder: string,
  table: string,
): string =>
  `CREATE TABLE ${name(bars.table.database)}.${name(table)}
WITH (format = 'PARQUET', write_compression = 'SNAPPY', external_location = ${literal(folder)},
  partitioned_by = ARRAY[${literal(barPartition)}])
AS
${barsQuery(bars, days)}`

/**
 * The UNLOAD of the bars of at most 100 days to an empty folder, one `bar_date=2024-01-02/` a day that has any.
 *
 * @param folder `s3://bucket/prefix/`
 */
export const barsUnload = (bars: BarsDefinition, days: readonly string[], folder: string): string =>
  `UNLOAD (
${barsQuery(bars, days)}
) TO ${literal(folder)}
WITH (format = 'PARQUET', compression = 'SNAPPY', partitioned_by = ARRAY[${literal(barPartition)}])`

const tradeConditions = (bars: BarsDefinition, days: readonly string[]): readonly string[] => {
  const { table } = bars.source
  const sorted = [...days].sort()
  const [first, last] = [sorted[0]!, sorted[sorted.length - 1]!]
  const price = table.column(bars.price)
  const conditions = partitionConditions(bars, sorted).map(({ name: partition, condition }) =>
    'from' in condition
      ? `${name(partition)} BETWEEN ${literal(condition.from)} AND ${literal(condition.to)}`
      : `${name(partition)} IN (${condition.map(literal).join(', ')})`,
  )
  // Wider than the days by more than any zone is from UTC.
  const midnight = (date: string) =>
    isNanos(bars)
      ? `${BigInt(parseDate(date)!) * 86_400_000_000_000n}`
      : `TIMESTAMP ${literal(`${date} 00:00:00.000`)}`
  conditions.push(
    `${name(bars.time)} >= ${midnight(later(first, -1))}`,
    `${name(bars.time)} < ${midnight(later(last, 2))}`,
  )
  for (const column of [bars.symbol, bars.price, bars.size]) conditions.push(`${name(column)} IS NOT NULL`)
  if (price.type.kind === 'double' || price.type.kind === 'float') {
    conditions.push(`NOT is_nan(${name(bars.price)})`)
  }
  return conditions
}

const textLength = { year: 4, month: 7, day: 10, hour: 10 } as const

interface TradePartition {
  readonly name: string
  readonly condition: readonly string[] | { readonly from: string; readonly to: string }
}

/** What the partitions by the time of the trades have to be. */
const partitionConditions = (
  { source, time, timeZone }: BarsDefinition,
  days: readonly string[],
): readonly TradePartition[] =>
  source.table.partitions.flatMap((partition: PartitionDefinition): TradePartition[] => {
    if (partition.source !== time || partition.transform === 'identity') return []
    const sorted = [...days].sort()
    const sameZone = (partition.timeZone ?? 'UTC') === timeZone
    if (sameZone && partition.transform === 'day') return [{ name: partition.name, condition: sorted }]
    const slack = sameZone ? 0 : 1
    const length = textLength[partition.transform]
    const from = later(sorted[0]!, -slack).slice(0, length)
    // Hours go on behind the day: the last of a day sorts before what follows `~`.
    const to = `${later(sorted[sorted.length - 1]!, slack).slice(0, length)}~`
    return [{ name: partition.name, condition: { from, to } }]
  })

/** The partitions of the trades that can hold trades of the days. */
export const tradePartitionFilter = (bars: BarsDefinition, days: readonly string[]): PartitionFilter =>
  Object.fromEntries(partitionConditions(bars, days).map((one) => [one.name, one.condition]))
