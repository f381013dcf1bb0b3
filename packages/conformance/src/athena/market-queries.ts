import { expect } from 'vitest'
import type { CaseAthena, Cells } from './case-athena.ts'

const trades = `SELECT cast(id AS bigint) AS id, cast(ts AS timestamp(3)) AS ts, symbol, price, cast(px AS decimal(18,4)) AS px,
    cast(size AS bigint) AS size, tags, meta, dt FROM (VALUES
  (1, timestamp '2024-03-08 14:30:00.000', 'AAPL', 170.5e0, 170.5, 100, array['open', 'odd'], '{"venue":"XNAS","n":1}', '2024-03-08'),
  (2, timestamp '2024-03-08 14:31:10.250', 'BRK.B', 405.25e0, 405.25, 10, array['odd'], '{"venue":"ARCX"}', '2024-03-08'),
  (3, timestamp '2024-03-08 14:45:00.001', 'AAPL', 171.0e0, 171.0, 300, null, null, '2024-03-08'),
  (4, timestamp '2024-03-08 15:10:00.000', 'AAPL', nan(), null, 0, null, 'no json', '2024-03-08'),
  (5, timestamp '2024-03-09 20:59:59.999', 'AAPL', 169.25e0, 169.25, 50, array['close'], '{"venue":"XNAS","n":5}', '2024-03-09'),
  (6, timestamp '2024-03-10 14:30:00.000', 'BRK.B', 406.75e0, 406.75, 30, null, '{"n":6}', '2024-03-10')
) t(id, ts, symbol, price, px, size, tags, meta, dt)`
const quotes = `SELECT cast(ts AS timestamp(3)) AS ts, symbol, bid FROM (VALUES
  (timestamp '2024-03-08 14:29:59.000', 'AAPL', 170.0e0), (timestamp '2024-03-08 14:40:00.000', 'AAPL', 170.75e0),
  (timestamp '2024-03-08 14:31:10.251', 'BRK.B', 405.0e0), (timestamp '2024-03-10 14:00:00.000', 'BRK.B', 406.5e0)) t(ts, symbol, bid)`

const queries: Readonly<Record<string, readonly [sql: string, rows: readonly Cells[]]>> = {
  'count and sum by symbol': [
    'SELECT symbol, count(*), sum(size) FROM trades GROUP BY symbol ORDER BY symbol',
    [
      ['AAPL', '4', '450'],
      ['BRK.B', '2', '40'],
    ],
  ],
  'weigh prices by volume, as doubles and as decimals': [
    `SELECT sum(price * size) / sum(size), sum(px * size) / sum(size), typeof(sum(px * size)) FROM trades
     WHERE symbol = 'AAPL' AND dt = '2024-03-08' AND px IS NOT NULL`,
    [['170.875', '170.8750', 'decimal(38,4)']],
  ],
  'make bars of an hour': [
    `SELECT date_trunc('hour', ts), min_by(px, ts), max(price), min(price), max_by(px, ts), sum(size) FROM trades
     WHERE symbol = 'AAPL' GROUP BY 1 ORDER BY 1`,
    [
      ['2024-03-08 14:00:00.000', '170.5000', '171.0', '170.5', '171.0000', '400'],
      ['2024-03-08 15:00:00.000', null, 'NaN', 'NaN', null, '0'],
      ['2024-03-09 20:00:00.000', '169.2500', '169.25', '169.25', '169.2500', '50'],
    ],
  ],
  'make bars of a quarter of an hour': [
    `SELECT from_unixtime(floor(to_unixtime(ts) / 900) * 900) AS bar, count(*) FROM trades WHERE dt = '2024-03-08'
     GROUP BY 1 ORDER BY 1`,
    [
      ['2024-03-08 14:30:00.000 UTC', '2'],
      ['2024-03-08 14:45:00.000 UTC', '1'],
      ['2024-03-08 15:00:00.000 UTC', '1'],
    ],
  ],
  'make bars by dividing minutes': [
    "SELECT (minute(ts) / 30) * 30 AS half, count(*) FROM trades WHERE dt = '2024-03-08' GROUP BY 1 ORDER BY 1",
    [
      ['0', '1'],
      ['30', '3'],
    ],
  ],
  'tell the change since the trade before': [
    `SELECT id, px - lag(px) OVER (PARTITION BY symbol ORDER BY ts) FROM trades WHERE px IS NOT NULL ORDER BY id`,
    [
      ['1', null],
      ['2', null],
      ['3', '0.5000'],
      ['5', '-1.7500'],
      ['6', '1.5000'],
    ],
  ],
  'average over the trades before, as decimals': [
    `SELECT id, avg(px) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM trades WHERE symbol = 'AAPL' ORDER BY id`,
    [
      ['1', '170.5000'],
      ['3', '170.7500'],
      ['4', '171.0000'],
      ['5', '169.2500'],
    ],
  ],
  'find the quote as of each trade': [
    `WITH u AS (
       SELECT symbol, ts, 1 AS k, id, cast(null AS double) AS bid FROM trades
       UNION ALL SELECT symbol, ts, 0, cast(null AS bigint), bid FROM quotes)
     SELECT id, b FROM (
       SELECT id, last_value(bid) IGNORE NULLS OVER (PARTITION BY symbol ORDER BY ts, k ROWS UNBOUNDED PRECEDING) AS b FROM u)
     WHERE id IS NOT NULL ORDER BY id`,
    [
      ['1', '170.0'],
      ['2', null],
      ['3', '170.75'],
      ['4', '170.75'],
      ['5', '170.75'],
      ['6', '406.5'],
    ],
  ],
  'keep to the hours of an exchange, over a change of its clocks': [
    `SELECT id, cast(with_timezone(ts, 'UTC') AT TIME ZONE 'America/New_York' AS varchar) FROM trades
     WHERE hour(with_timezone(ts, 'UTC') AT TIME ZONE 'America/New_York') >= 10 ORDER BY id`,
    [
      ['4', '2024-03-08 10:10:00.000 America/New_York'],
      ['5', '2024-03-09 15:59:59.999 America/New_York'],
      ['6', '2024-03-10 10:30:00.000 America/New_York'],
    ],
  ],
  'unnest the tags of trades': [
    'SELECT tag, count(*) FROM trades CROSS JOIN UNNEST(tags) AS t(tag) GROUP BY tag ORDER BY tag',
    [
      ['close', '1'],
      ['odd', '2'],
      ['open', '1'],
    ],
  ],
  'read JSON, and pass over what is none': [
    `SELECT id, json_extract_scalar(meta, '$.venue'), cast(json_extract(meta, '$.n') AS bigint) FROM trades WHERE id <> 4 ORDER BY id`,
    [
      ['1', 'XNAS', '1'],
      ['2', 'ARCX', null],
      ['3', null, null],
      ['5', 'XNAS', '5'],
      ['6', null, '6'],
    ],
  ],
  'fill the days without trades': [
    `SELECT cast(d AS varchar), count(id) FROM UNNEST(sequence(date '2024-03-08', date '2024-03-11', INTERVAL '1' DAY)) AS t(d)
     LEFT JOIN trades ON dt = cast(d AS varchar) GROUP BY 1 ORDER BY 1`,
    [
      ['2024-03-08', '4'],
      ['2024-03-09', '1'],
      ['2024-03-10', '1'],
      ['2024-03-11', '0'],
    ],
  ],
  'write every kind of column as text': [
    'SELECT * FROM trades WHERE id = 1',
    [
      [
        '1',
        '2024-03-08 14:30:00.000',
        'AAPL',
        '170.5',
        '170.5000',
        '100',
        '[open, odd]',
        '{"venue":"XNAS","n":1}',
        '2024-03-08',
      ],
    ],
  ],
}

/** Questions to market tables, whose columns come from Parquet files of the service's own. */
export const describeMarketQueries = (athena: CaseAthena): void => {
  athena.concept('market queries', (it) => {
    // The same tables serve all: these cases only read.
    let made: Promise<string> | undefined
    const market = () => (made ??= makeMarket(athena))

    for (const [title, [sql, rows]] of Object.entries(queries)) {
      it(title, async () => {
        expect(await athena.rows(sql, { database: await market() })).toEqual(rows)
      })
    }
  })
}

const makeMarket = async (athena: CaseAthena): Promise<string> => {
  const database = await athena.database()
  const table = (name: string, query: string, more = '') =>
    athena.run(
      `CREATE TABLE ${name} WITH (format = 'PARQUET', external_location = '${athena.place()}'${more}) AS ${query}`,
      { database },
    )
  await table('trades', trades, ", partitioned_by = ARRAY['dt']")
  await table('quotes', quotes)
  return database
}
