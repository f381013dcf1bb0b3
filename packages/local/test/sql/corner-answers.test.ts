import { describe, expect, test } from 'vitest'
import { goldenEngine, goldenResolver } from './golden-tables.ts'

const engine = goldenEngine()

/** Statements on which generated queries once differed, with what Trino 476 says. */
describe('corners of Trino, answered as Trino answers', () => {
  test.each([
    // The sign of zero and of a remainder.
    [
      `SELECT round(x), round(x, 1) FROM (VALUES -0.4e0, -0.04e0, 0.04e0, -0e0) t(x)`,
      '-0.0 -0.4|-0.0 -0.0|0.0 0.0|0.0 0.0',
    ],
    [
      `SELECT x % 5e0, x % -5e0 FROM (VALUES -5e0, 5e0, 7.5e0, -7.5e0) t(x)`,
      '-0.0 -0.0|0.0 0.0|2.5 2.5|-2.5 -2.5',
    ],
    [`SELECT real '7.5' % real '-5', 7.5e0 % 0e0`, '2.5 NaN'],
    [`SELECT x FROM (VALUES 1e0, -0e0) t(x) ORDER BY x`, '-0.0|1.0'],
    [`SELECT x, rank() OVER (ORDER BY x DESC) FROM (VALUES 1e0, -0e0) t(x) ORDER BY 2`, '1.0 1|-0.0 2'],
    // The last digit of logarithms and powers.
    [`SELECT ln(74), log2(74), log(3, 168)`, '4.30406509320417 6.209453365628951 4.664033009875794'],
    [`SELECT power(169.2736, 1.5), exp(0.195e0)`, '2202.3373587531005 1.2153109864897307'],
    [
      `SELECT ln(0), ln(-1), ln(nan()), log2(0), log(1, 2), power(1, nan()), power(0, -1)`,
      '-Infinity NaN NaN -Infinity Infinity NaN Infinity',
    ],
    [
      `SELECT exp(1000), exp(-1000), sin(infinity()), cos(nan()), power(-8, 1e0/3)`,
      'Infinity 0.0 NaN NaN NaN',
    ],
    [`SELECT ln(null), power(2, null), exp(cast(null as double))`, 'NULL NULL NULL'],
    // NaN is the smallest number where NULLs come first, else the largest.
    [
      `SELECT x FROM (VALUES 1e0, nan(), null, infinity()) t(x) ORDER BY x NULLS FIRST`,
      'NULL|NaN|1.0|Infinity',
    ],
    [
      `SELECT x FROM (VALUES 1e0, nan(), null, infinity()) t(x) ORDER BY 1 DESC NULLS FIRST`,
      'NULL|Infinity|1.0|NaN',
    ],
    [`SELECT x FROM (VALUES 1e0, nan(), null) t(x) ORDER BY x DESC`, 'NaN|1.0|NULL'],
    [`SELECT 1e0 x UNION ALL SELECT nan() ORDER BY 1 DESC NULLS FIRST`, '1.0|NaN'],
    [`SELECT array_agg(x ORDER BY x NULLS FIRST) FROM (VALUES 1e0, nan(), null) t(x)`, '[null, NaN, 1.0]'],
    [
      `SELECT x, rank() OVER (ORDER BY x DESC NULLS FIRST) r FROM (VALUES 1e0, nan(), null) t(x) ORDER BY r`,
      'NULL 1|1.0 2|NaN 3',
    ],
    // What is around a number's text.
    [
      `SELECT cast('  12 ' as integer), cast(chr(9) || '-7' as bigint), try_cast(chr(160) || '1' as integer)`,
      '12 -7 NULL',
    ],
    [
      `SELECT try_cast(' 1.5' as decimal(3,1)), cast(' 1.5 ' as double), try_cast(chr(160) || '1' as double)`,
      'NULL 1.5 NULL',
    ],
    // Texts that are no dates.
    [
      `SELECT try_cast('9' as date), try_cast('1.50' as date), try_cast('2024-03' as date), try_cast('10:00' as timestamp)`,
      'NULL NULL NULL NULL',
    ],
    [
      `SELECT cast(chr(12288) || '2024-03-08' || chr(9) as date), try_cast(chr(160) || '2024-03-08' as date)`,
      '2024-03-08 NULL',
    ],
    // The default of lag has a type of its own.
    [`SELECT lag(x, 1, 100) OVER (ORDER BY x) FROM (VALUES 1.25, 7.5) t(x)`, '100.00|1.25'],
    // Statistics of what is neither real nor double are real.
    [
      `SELECT corr(x, y), covar_pop(x, y), approx_percentile(y, 0.5), typeof(geometric_mean(x)) FROM (VALUES (1, 1.5), (2, 2.25), (4, 2.5)) t(x, y)`,
      '0.8910421 0.4722222 2.25 double',
    ],
    // What is not reached does not fail.
    [
      `SELECT x, x <> 0 AND 10 / x > 4, x = 0 OR 10 / x > 4 FROM (VALUES 0, 1, 9) t(x)`,
      '0 false true|1 true true|9 false false',
    ],
    [`SELECT x IS NULL OR x <> 0 AND 10 / x > 4 FROM (VALUES 0, NULL) t(x)`, 'false|true'],
    [`SELECT coalesce(1, 1 / 0), coalesce(2, 1 / 0)`, '1 2'],
    [
      `SELECT any_match(ARRAY[1, 0], x -> 1 / x > 0), all_match(ARRAY[1, 0], x -> x > 5 AND 1 / x > 0), none_match(ARRAY[1, 0], x -> 1 / x > 0)`,
      'true false false',
    ],
    [
      `SELECT any_match(a, x -> x > 1), all_match(a, x -> x > 1), none_match(a, x -> x > 1) FROM (VALUES ARRAY[], ARRAY[NULL], ARRAY[NULL, 2], ARRAY[NULL, 1], NULL) t(a)`,
      'false true true|NULL NULL NULL|true NULL false|NULL false NULL|NULL NULL NULL',
    ],
    // Nor what only other rows have, of a dictionary that a file keeps.
    [
      `SELECT try(cast(replace(symbol, 'AAPL', '12') as integer)) r, count(*), max(CASE WHEN symbol = 'AAPL' THEN cast(replace(symbol, 'AAPL', '12') as integer) END) FROM trades GROUP BY 1 ORDER BY 1`,
      '12 37 12|NULL 83 NULL',
    ],
    [
      `SELECT count(*) FROM trades WHERE symbol = 'AAPL' AND cast(replace(symbol, 'AAPL', '12') as integer) = 12`,
      '37',
    ],
    // A window built on another has its partitions.
    [
      `SELECT o, sum(x) OVER v, sum(x) OVER (v ROWS 1 PRECEDING) FROM (VALUES ('a', 1, 1), ('a', 2, 2), ('a', 3, 3), ('b', 1, 9)) t(g, o, x) WINDOW w AS (PARTITION BY g), v AS (w ORDER BY o) ORDER BY 2`,
      '1 1 1|2 3 3|3 6 5|1 9 9',
    ],
    // Rows of VALUES that are no constructors.
    [
      `SELECT a, b FROM (VALUES CAST(ROW(1, 'x') AS ROW(p integer, q varchar)), ROW(2, 'y')) t(a, b)`,
      '1 x|2 y',
    ],
    // Parentheses around queries.
    [`SELECT (((SELECT 1) + 1) + 1), 2 IN ((SELECT 1) UNION SELECT 2), 1 IN ((SELECT 1))`, '3 true true'],
    // Keys of groups by their places, and in the queries within.
    [`SELECT x, y, count(*) FROM (VALUES (1, 2), (1, 2)) t(x, y) GROUP BY (1, 2)`, '1 2 2'],
    [`SELECT sum(x) FROM (VALUES 1, 2) t(x) GROUP BY ()`, '3'],
    [
      `SELECT x, (SELECT sum(z) FROM (VALUES (1, 5), (1, 6), (2, 7)) u(k, z) WHERE k = t.x) FROM (VALUES 1, 1, 2) t(x) GROUP BY x HAVING count(*) < (SELECT max(z) FROM (VALUES (1, 5), (2, 0)) u(k, z) WHERE k = x)`,
      '1 11',
    ],
    // What is too large for a real, and the smallest number by -1.
    [
      `SELECT cast(1e300 as real), try_cast(-1e300 as real), cast(1.1e0 as real), -9223372036854775808 % -1`,
      'Infinity -Infinity 1.1 0',
    ],
    // How types are named.
    [
      `SELECT typeof(attrs), typeof(tags), typeof(px) FROM trades LIMIT 1`,
      'map(varchar, double) array(varchar) decimal(18,4)',
    ],
  ])('%s', async (sql, expected) => {
    const { rows } = await engine.run({ sql, database: 'golden', resolver: goldenResolver })
    expect(rows.map((row) => row.map((value) => value ?? 'NULL').join(' ')).join('|')).toBe(expected)
  })

  test('typeof of what fails fails', async () => {
    const sql = `SELECT typeof(cast(side as bigint)) FROM trades`
    await expect(engine.run({ sql, database: 'golden', resolver: goldenResolver })).rejects.toMatchObject({
      errorName: 'INVALID_CAST_ARGUMENT',
    })
  })
})
