import { t } from '@stockpipe/core'
import { describe, expect, test } from 'vitest'
import { answer, createAthena, type QueryColumn } from '../src/index.ts'
import { answering } from './fake-athena.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const query = async (type: string, text: string | undefined, column: QueryColumn) => {
  const { client } = answering({ columns: { value: type }, pages: [[[text]]] })
  const athena = createAthena({ client, database: 'market', runtime: virtualRuntime() })
  const { rows } = await athena.query({ sql: 'SELECT value', columns: { value: column } })
  return rows[0]?.value
}

const at = (text: string) => BigInt(Date.parse(text)) * 1_000_000n

describe('columns that only answers have', () => {
  test.each<[string, string | undefined, QueryColumn, unknown]>([
    ['timestamp', '2024-03-08 14:30:00.123456789', answer.timestampNanos(), 1709908200123456789n],
    ['timestamp', '2024-03-08 14:30:00.123456789000', answer.timestampNanos(), 1709908200123456789n],
    ['timestamp', '2024-03-08 14:30:00.123000000000', t.timestamp(), new Date('2024-03-08T14:30:00.123Z')],
    ['timestamp', '2024-03-08 14:30:00', answer.timestampNanos(), 1709908200000000000n],
    ['timestamp', '1969-12-31 23:59:59.999999', answer.timestampNanos(), -1000n],
    ['timestamp', '2024-03-08 14:30:00.123456789012', answer.text(), '2024-03-08 14:30:00.123456789012'],
    [
      'timestamp with time zone',
      '2024-03-08 14:30:00.000 UTC',
      answer.timestampWithTimeZone(),
      { epochNanos: at('2024-03-08T14:30:00Z'), zone: 'UTC' },
    ],
    [
      'timestamp with time zone',
      '2024-03-08 14:30:00.123456 +05:30',
      answer.timestampWithTimeZone(),
      { epochNanos: at('2024-03-08T14:30:00+05:30') + 123_456_000n, zone: '+05:30' },
    ],
    [
      'timestamp with time zone',
      '2024-03-08 09:30:00.000 America/New_York',
      answer.timestampWithTimeZone(),
      { epochNanos: at('2024-03-08T14:30:00Z'), zone: 'America/New_York' },
    ],
    [
      'timestamp with time zone',
      '2024-03-10 03:00:00.000 America/New_York',
      answer.timestampWithTimeZone(),
      { epochNanos: at('2024-03-10T07:00:00Z'), zone: 'America/New_York' },
    ],
    ['time', '14:30:00.123', answer.time(), '14:30:00.123'],
    ['time with time zone', '14:30:00.123+01:00', answer.time(), '14:30:00.123+01:00'],
    ['interval day to second', '2 03:04:05.006', answer.intervalDayToSecond(), 183_845_006n],
    ['interval day to second', '-0 00:00:00.001', answer.intervalDayToSecond(), -1n],
    [
      'interval day to second',
      '106751991167 07:12:55.807',
      answer.intervalDayToSecond(),
      9_223_372_036_854_775_807n,
    ],
    ['interval year to month', '1-3', answer.intervalYearToMonth(), 15],
    ['interval year to month', '-0-3', answer.intervalYearToMonth(), -3],
    ['interval year to month', '0-0', answer.intervalYearToMonth(), 0],
    ['uuid', '12151FD2-7586-11e9-8f9e-2a86e4085a59', answer.uuid(), '12151fd2-7586-11e9-8f9e-2a86e4085a59'],
    ['char', 'ab   ', t.string(), 'ab   '],
    ['json', '{"a":[1,0.1,null,1.0E7]}', answer.json(), { a: [1, 0.1, null, 1e7] }],
    ['varchar', '"9007199254740993"', answer.json(), '9007199254740993'],
    ['json', 'null', answer.json(), null],
    ['ipaddress', '10.0.0.1', answer.text(), '10.0.0.1'],
    ['array', '[a, b]', answer.text(), '[a, b]'],
    ['time', undefined, answer.time().nullable(), null],
    ['varchar', '', answer.text().nullable(), ''],
    ['varchar', undefined, answer.text().nullable(), null],
  ])('%s %s', async (type, text, column, value) => {
    expect(await query(type, text, column)).toEqual(value)
  })

  test.each<[string, string, QueryColumn, string]>([
    [
      'timestamp',
      '2024-03-08 14:30:00.123456',
      t.timestamp(),
      'which t.timestamp() cannot hold exactly (answer.timestampNanos() holds nine digits, answer.text() all)',
    ],
    [
      'timestamp',
      '2024-03-08 14:30:00.123456789012',
      answer.timestampNanos(),
      'which answer.timestampNanos() cannot hold exactly (answer.text() holds every digit)',
    ],
    [
      'timestamp with time zone',
      '2024-11-03 01:30:00.000 America/New_York',
      answer.timestampWithTimeZone(),
      "which its zone has twice, as clocks are set back then: select it AT TIME ZONE 'UTC'",
    ],
    [
      'timestamp with time zone',
      '2024-03-10 02:30:00.000 America/New_York',
      answer.timestampWithTimeZone(),
      'cannot hold exactly',
    ],
    [
      'timestamp with time zone',
      '2024-03-10 02:30:00.000 Mars/Olympus',
      answer.timestampWithTimeZone(),
      'cannot hold',
    ],
    ['timestamp with time zone', '2024-03-10 02:30:00.000', answer.timestampWithTimeZone(), 'cannot hold'],
    ['time', '14:30', answer.time(), 'cannot hold'],
    ['uuid', '12151fd2', answer.uuid(), 'which answer.uuid() cannot hold'],
    ['interval year to month', '3', answer.intervalYearToMonth(), 'cannot hold'],
    [
      'json',
      '{"id":9007199254740993}',
      answer.json(),
      'whose number 9007199254740993 would be rounded: state t.json(), or a list, map or struct of t',
    ],
    ['json', '[0.12345678901234567890]', answer.json(), 'would be rounded'],
    ['json', '[1e400]', answer.json(), 'would be rounded'],
    ['json', '{"a":', answer.json(), 'which answer.json() cannot hold exactly'],
  ])('%s %s is refused as %o', async (type, text, column, why) => {
    await expect(query(type, text, column)).rejects.toThrow(why)
  })

  test.each<[string, QueryColumn, string]>([
    ['time', t.string(), '(state answer.time())'],
    ['interval day to second', t.int64(), '(state answer.intervalDayToSecond())'],
    ['interval year to month', t.int64(), '(state answer.intervalYearToMonth())'],
    ['uuid', t.string(), '(state answer.uuid())'],
    ['timestamp', answer.time(), 'is timestamp in the answer and answer.time() as stated'],
    ['varchar', answer.timestampNanos(), 'is varchar in the answer and answer.timestampNanos() as stated'],
  ])('%s stated as another type is refused with what to state', async (type, column, advice) => {
    await expect(query(type, '', column)).rejects.toThrow(advice)
  })
})
