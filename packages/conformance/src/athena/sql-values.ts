import { expect } from 'vitest'
import type { CaseAthena } from './case-athena.ts'

/** An expression, the type of its column (decimals with precision and scale), and its text. */
type Value = readonly [expression: string, type: string, text: string | null]

const values: Readonly<Record<string, readonly Value[]>> = {
  'integers divide, and leave remainders, towards zero': [
    ['7/2', 'integer', '3'],
    ['7/-2', 'integer', '-3'],
    ['7%-3', 'integer', '1'],
    ['mod(-7, 3)', 'integer', '-1'],
    ['cast(7 as bigint)/2', 'bigint', '3'],
    ['cast(7 as smallint)/cast(2 as tinyint)', 'smallint', '3'],
  ],
  'decimals keep the digits of their types': [
    ['1.10*2.345', 'decimal(7,5)', '2.57950'],
    ['10.00/3.000', 'decimal(8,3)', '3.333'],
    ['7.0/2', 'decimal(2,1)', '3.5'],
    ['1.5-0.005', 'decimal(5,3)', '1.495'],
    ['1.1+1', 'decimal(12,1)', '2.1'],
    ["decimal '1'/decimal '3'", 'decimal(1,0)', '0'],
    ['cast(2 as decimal(10,2))*cast(3 as decimal(10,3))', 'decimal(20,5)', '6.00000'],
    ["decimal '7' % decimal '3'", 'decimal(1,0)', '1'],
  ],
  'numbers are rounded half away from zero': [
    ['cast(-2.5 as integer)', 'integer', '-3'],
    ['cast(2.5e0 as integer)', 'integer', '3'],
    ['cast(3.5e0 as bigint)', 'bigint', '4'],
    ['round(2.5)', 'decimal(2,0)', '3'],
    ['round(-2.5e0)', 'double', '-3.0'],
    ["cast('-12.345' as decimal(10,2))", 'decimal(10,2)', '-12.35'],
    ['cast(12.345e0 as decimal(10,2))', 'decimal(10,2)', '12.35'],
    ['floor(-2.1)', 'decimal(2,0)', '-3'],
    ['ceiling(-2.1)', 'decimal(2,0)', '-2'],
    ['truncate(-2.7)', 'decimal(1,0)', '-2'],
  ],
  'doubles overflow to Infinity, and NaN is equal to nothing': [
    ['1e0/0e0', 'double', 'Infinity'],
    ['0e0/0e0', 'double', 'NaN'],
    ['nan() = nan()', 'boolean', 'false'],
    ['nan() > 1e308', 'boolean', 'false'],
    ['is_nan(nan())', 'boolean', 'true'],
    ['nan() is distinct from nan()', 'boolean', 'false'],
  ],
  'doubles and reals have the text of Java': [
    ['1e0', 'double', '1.0'],
    ['1e7', 'double', '1.0E7'],
    ['1.5e-5', 'double', '1.5E-5'],
    ['123456789.125e0', 'double', '1.23456789125E8'],
    ["real '0.1'", 'float', '0.1'],
  ],
  'numbers cast to text': [
    ['cast(1e0 as varchar)', 'varchar', '1.0E0'],
    ['cast(1234567.891e0 as varchar)', 'varchar', '1.234567891E6'],
    ["cast(real '0.1' as varchar)", 'varchar', '1.0E-1'],
    ['cast(1.50 as varchar)', 'varchar', '1.50'],
    ['cast(true as varchar)', 'varchar', 'true'],
    ["cast(timestamp '2024-02-29 01:02:03.120' as varchar)", 'varchar', '2024-02-29 01:02:03.120'],
  ],
  'text casts to what it says, or is NULL where that is tried': [
    ["cast('12' as integer)", 'integer', '12'],
    ["try_cast('12x' as integer)", 'integer', null],
    ["try_cast('1.5' as integer)", 'integer', null],
    ["cast('1e3' as double)", 'double', '1000.0'],
    ["cast('NaN' as double)", 'double', 'NaN'],
    ["cast('t' as boolean)", 'boolean', 'true'],
    ["cast('2024-03-08' as date)", 'date', '2024-03-08'],
    ["try_cast('2024-02-30' as date)", 'date', null],
  ],
  'NULL is apart from text and from false': [
    ["''", 'varchar', ''],
    ["cast(null as varchar) || 'a'", 'varchar', null],
    ['nullif(1, 1)', 'integer', null],
    ['coalesce(null, 1, 2)', 'integer', '1'],
    ['case when null then 1 else 2 end', 'integer', '2'],
    ['1 not in (2, null)', 'boolean', null],
    ['1 in (1, null)', 'boolean', 'true'],
    ['cast(null as integer) is distinct from 1', 'boolean', 'true'],
    ['greatest(1, cast(null as integer))', 'integer', null],
    ['try(1/0)', 'integer', null],
  ],
  'dates and intervals add up by the calendar': [
    ["date '2024-01-31' + interval '1' month", 'date', '2024-02-29'],
    ["date '2024-03-31' - interval '1' month", 'date', '2024-02-29'],
    ["date '2024-03-10' - date '2024-03-01'", 'interval day to second', '9 00:00:00.000'],
    ["interval '3' month", 'interval year to month', '0-3'],
    ["timestamp '2024-03-10 02:30:00.000' + interval '90' minute", 'timestamp', '2024-03-10 04:00:00.000'],
    ["date_add('week', -1, timestamp '2024-01-01 00:00:00.000')", 'timestamp', '2023-12-25 00:00:00.000'],
    ["date_diff('month', date '2024-01-31', date '2024-02-29')", 'bigint', '1'],
    ["date_diff('hour', timestamp '2024-01-01 00:59:00', timestamp '2024-01-01 02:01:00')", 'bigint', '1'],
  ],
  'parts of dates follow ISO weeks': [
    ["date_trunc('week', date '2024-03-13')", 'date', '2024-03-11'],
    ["date_trunc('month', timestamp '2024-03-13 10:11:12.345')", 'timestamp', '2024-03-01 00:00:00.000'],
    ["day_of_week(date '2024-03-10')", 'bigint', '7'],
    ["day_of_year(date '2024-03-10')", 'bigint', '70'],
    ["year_of_week(date '2024-12-30')", 'bigint', '2025'],
    ["quarter(date '2024-05-13')", 'bigint', '2'],
    ["millisecond(timestamp '2024-03-13 10:11:12.345')", 'bigint', '345'],
    ["last_day_of_month(date '2024-02-10')", 'date', '2024-02-29'],
  ],
  'times keep their zones': [
    ['from_unixtime(1700000000.5)', 'timestamp with time zone', '2023-11-14 22:13:20.500 UTC'],
    ["to_unixtime(timestamp '2023-11-14 22:13:20')", 'double', '1.7E9'],
    [
      "at_timezone(timestamp '2024-11-03 05:30:00.000 UTC', 'America/New_York')",
      'timestamp with time zone',
      '2024-11-03 01:30:00.000 America/New_York',
    ],
    [
      "with_timezone(timestamp '2024-03-10 12:00:00.000', 'Asia/Tokyo')",
      'timestamp with time zone',
      '2024-03-10 12:00:00.000 Asia/Tokyo',
    ],
    [
      "from_iso8601_timestamp('2024-03-08T09:30:00.123Z')",
      'timestamp with time zone',
      '2024-03-08 09:30:00.123 UTC',
    ],
  ],
  'formats of MySQL and Joda are read and written': [
    ["date_parse('08/Mar/2024:09:30:15', '%d/%b/%Y:%H:%i:%s')", 'timestamp', '2024-03-08 09:30:15.000'],
    [
      "date_format(timestamp '2024-03-08 09:05:07.123', '%Y/%m/%d %H:%i:%s')",
      'varchar',
      '2024/03/08 09:05:07',
    ],
    [
      "format_datetime(timestamp '2024-03-08 21:05:07.012', 'EEE, d MMM yyyy HH:mm:ss.SSS')",
      'varchar',
      'Fri, 8 Mar 2024 21:05:07.012',
    ],
    [
      "parse_datetime('2024-03-08 21:05', 'yyyy-MM-dd HH:mm')",
      'timestamp with time zone',
      '2024-03-08 21:05:00.000 UTC',
    ],
  ],
  'text is taken apart by code points': [
    ["split_part('a-b-c', '-', 2)", 'varchar', 'b'],
    ["split_part('a,b,c', ',', 9)", 'varchar', null],
    ["substr('hello', -3)", 'varchar', 'llo'],
    ["substr('hello', 0)", 'varchar', ''],
    ["strpos('hello', 'l')", 'bigint', '3'],
    ["lpad('7', 3, '0')", 'varchar', '007'],
    ["upper('straße')", 'varchar', 'STRAßE'],
    ["length('日本🚀')", 'bigint', '3'],
    ["reverse('ab🚀')", 'varchar', '🚀ba'],
    ["format('%05d %.2f %s', 42, 1.005e0, 'x')", 'varchar', '00042 1.01 x'],
  ],
  'text is matched by patterns and regular expressions': [
    ["'abc' like 'a%'", 'boolean', 'true'],
    ["'a_c' like 'a\\_c' escape '\\'", 'boolean', 'true'],
    ["'a' < 'B'", 'boolean', 'false'],
    ["regexp_like('BRK.B', '^[A-Z]+\\.[A-Z]$')", 'boolean', 'true'],
    ["regexp_replace('a1b22', '(\\d+)', '<$1>')", 'varchar', 'a<1>b<22>'],
    ["regexp_extract('abc', '\\d')", 'varchar', null],
    ["regexp_count('a1b22c', '\\d')", 'bigint', '3'],
  ],
  'JSON is read by paths': [
    [`json_extract_scalar('{"a":{"b":[1,2]}}', '$.a.b[1]')`, 'varchar', '2'],
    [`json_extract_scalar('{"a":null}', '$.a')`, 'varchar', null],
    [`json_extract_scalar('{"a":{}}', '$.a')`, 'varchar', null],
    [`json_format(json_extract('{"a":{"q":"x"}}', '$.a'))`, 'varchar', '{"q":"x"}'],
    [`json_parse('{"b":1,"a":[true,null]}')`, 'json', '{"a":[true,null],"b":1}'],
    ["json_array_length('[1,2,3]')", 'bigint', '3'],
    ['cast(array[1,2] as json)', 'json', '[1,2]'],
  ],
  'arrays have the text of lists': [
    ["array['a', null, 'b c']", 'array', '[a, null, b c]'],
    ['array[1,2,3][2]', 'integer', '2'],
    ['element_at(array[1,2,3], 9)', 'integer', null],
    ['cardinality(array[1,null])', 'bigint', '2'],
    ["array_join(array[1,null,3], '-')", 'varchar', '1-3'],
    ['sequence(5, 1, -2)', 'array', '[5, 3, 1]'],
    ['flatten(array[array[1], array[2,3]])', 'array', '[1, 2, 3]'],
    ['transform(array[1,2], x -> x * 10)', 'array', '[10, 20]'],
    ['filter(array[1,2,3], x -> x > 1)', 'array', '[2, 3]'],
    ['reduce(array[1,2,3], 0, (s, x) -> s + x, s -> s)', 'integer', '6'],
  ],
  'maps and rows have the text of pairs': [
    ["map(array['a','b'], array[1,2])", 'map', '{a=1, b=2}'],
    ["map(array['a','b'], array[1,2])['a']", 'integer', '1'],
    ["element_at(map(array['a'], array[1]), 'z')", 'integer', null],
    ["map_filter(map(array['a','b'], array[1,2]), (k, v) -> v > 1)", 'map', '{b=2}'],
    ["cast(row(1, 'a') as row(x integer, y varchar))", 'row', '{x=1, y=a}'],
    ["cast(row(1, 'a') as row(x integer, y varchar)).y", 'varchar', 'a'],
  ],
  'bytes are written as pairs of hexadecimal digits': [
    ["to_utf8('123')", 'varbinary', '31 32 33'],
    ["to_base64(to_utf8('abc'))", 'varchar', 'YWJj'],
    ["from_utf8(from_hex('C3A9'))", 'varchar', 'é'],
  ],
  'types are those of Trino': [
    ['typeof(1)', 'varchar', 'integer'],
    ['typeof(1.5)', 'varchar', 'decimal(2,1)'],
    ['typeof(1e0)', 'varchar', 'double'],
    ['typeof(1.10*2.345)', 'varchar', 'decimal(7,5)'],
    ["typeof(date '2024-01-01' + interval '1' day)", 'varchar', 'date'],
    ['typeof(now())', 'varchar', 'timestamp(3) with time zone'],
    ['typeof(sequence(1, 2))', 'varchar', 'array(bigint)'],
  ],
}

/** What an expression is and how its value is written: one query a case. */
export const describeSqlValues = (athena: CaseAthena): void => {
  athena.concept('SQL values', (it) => {
    for (const [title, expected] of Object.entries(values)) {
      it(title, async () => {
        const sql = `SELECT ${expected.map(([expression]) => expression).join(', ')}`
        const { ResultSet } = await athena.answer(sql)
        const cells = ResultSet?.Rows?.[1]?.Data ?? []
        const columns = ResultSet?.ResultSetMetadata?.ColumnInfo ?? []
        const answered = expected.map(([expression], i) => {
          const { Type = '', Precision, Scale } = columns[i] ?? {}
          const type = Type === 'decimal' ? `decimal(${Precision},${Scale})` : Type
          return [expression, type, cells[i]?.VarCharValue ?? null]
        })
        expect(answered).toEqual(expected)
        expect(columns).toHaveLength(expected.length)
      })
    }
  })
}
