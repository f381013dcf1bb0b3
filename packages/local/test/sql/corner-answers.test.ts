import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createQueryEngine } from '../../src/sql/duckdb-query-engine.ts'
import { goldenDirectory, goldenResolver } from './golden-tables.ts'

const directory = mkdtempSync(join(tmpdir(), 'corners-'))
const engine = createQueryEngine({
  dataDirectory: directory,
  allowedDirectories: [join(goldenDirectory, 'data')],
})
afterAll(async () => {
  await engine.close()
  rmSync(directory, { recursive: true })
})

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
