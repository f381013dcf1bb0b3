import { describe, expect, test } from 'vitest'
import { findInJson, jsonPath } from '../../src/sql/json-path.ts'
import { jsonText, parseJson, sortedJson } from '../../src/sql/json-text.ts'
import { javaNumberText, trinoNumberText } from '../../src/sql/number-text.ts'
import { portablePattern, portableReplacement } from '../../src/sql/regular-expression.ts'
import { formatTime, jodaFormat, mysqlFormat, timeReader } from '../../src/sql/time-format.ts'
import { dateText, dayIntervalText, monthIntervalText, zonedTimestampText } from '../../src/sql/time-text.ts'

describe('text of numbers', () => {
  test.each([
    [0, '0.0', '0E0'],
    [-0, '-0.0', '-0E0'],
    [1, '1.0', '1.0E0'],
    [409.3775, '409.3775', '4.093775E2'],
    [0.001, '0.001', '1.0E-3'],
    [0.00099, '9.9E-4', '9.9E-4'],
    [9999999, '9999999.0', '9.999999E6'],
    [1e7, '1.0E7', '1.0E7'],
    [-1234567.891, '-1234567.891', '-1.234567891E6'],
    [1.7976931348623157e308, '1.7976931348623157E308', '1.7976931348623157E308'],
    [4.9e-324, '4.9E-324', '4.9E-324'],
    [Number.NaN, 'NaN', 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity', '-Infinity'],
  ])('%d is %s in an answer and %s as varchar', (value, answer, varchar) => {
    expect([javaNumberText(value, 'double'), trinoNumberText(value, 'double')]).toEqual([answer, varchar])
  })

  test('a real has the digits of a float', () => {
    expect(javaNumberText(Math.fround(0.1), 'real')).toBe('0.1')
    expect(javaNumberText(Math.fround(16777216), 'real')).toBe('1.6777216E7')
    expect(javaNumberText(Math.fround(3.4028235e38), 'real')).toBe('3.4028235E38')
  })
})

describe('text of times', () => {
  test('dates before 1970 and intervals below zero', () => {
    expect([dateText(-1), dateText(-719162)]).toEqual(['1969-12-31', '0001-01-01'])
    expect([dayIntervalText(-90_061_001n), monthIntervalText(-14)]).toEqual(['-1 01:01:01.001', '-1-2'])
  })

  test('an hour that comes twice shows the same clock for two instants', () => {
    const instant = (text: string): bigint => BigInt(Date.parse(text)) * 1000n
    const zone = 'America/New_York'
    expect(zonedTimestampText(instant('2024-11-03T05:30:00Z'), 0, zone)).toBe(`2024-11-03 01:30:00 ${zone}`)
    expect(zonedTimestampText(instant('2024-11-03T06:30:00Z'), 0, zone)).toBe(`2024-11-03 01:30:00 ${zone}`)
    expect(zonedTimestampText(instant('2024-07-01T00:00:00Z'), 3, '-05:30')).toBe(
      '2024-06-30 18:30:00.000 -05:30',
    )
  })

  test('formats write and read; letters without a rule are refused', () => {
    const micros = BigInt(Date.parse('2024-02-29T15:04:05.678Z')) * 1000n
    const mysql = mysqlFormat('%Y-%m-%d %h:%i:%s.%f %p')!
    expect(formatTime(micros, mysql)).toBe('2024-02-29 03:04:05.678000 PM')
    expect(timeReader(mysql, '')!('2024-02-29 03:04:05.678000 pm')).toBe(micros)
    const joda = jodaFormat("EEE d MMM yyyy 'at' HH:mm:ss.SSS")!
    expect(formatTime(micros, joda)).toBe('Thu 29 Feb 2024 at 15:04:05.678')
    expect([mysqlFormat('%U'), jodaFormat('yyyy-ww'), jodaFormat("it's")]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(timeReader(jodaFormat('yyyyMMdd')!, '')).toBeUndefined()
    expect(() => timeReader(mysqlFormat('%Y-%m-%d')!, '')!('2023-02-29')).toThrow('Invalid format')
  })
})

describe('regular expressions', () => {
  test.each([
    ['^[A-Z]+\\.[A-Z]$', 'BRK.B', true],
    ['dt=[^/]+/', 'x/dt=1/y', true],
    ['(?i)nyse', 'NySe', true],
    ['a{2,3}?b', 'aab', true],
    ['\\d+-\\d+', 'a', false],
  ])('%s on %s', (pattern, text, expected) => {
    const portable = portablePattern(pattern)!
    portable.check(text)
    expect(text.search(portable.expression) >= 0).toBe(expected)
  })

  test.each([
    '(?=a)',
    '(?<!a)b',
    'a++',
    'a*+',
    '(a)\\1',
    '\\p{L}',
    '[a&&b]',
    '[[:alpha:]]',
    '(?s).',
    '\\x41',
    '(?<n>a)',
    '*a',
    'a{',
    '\\',
  ])('%s is refused', (pattern) => {
    expect(portablePattern(pattern)).toBeUndefined()
  })

  test('text on which engines differ is refused', () => {
    expect(() => portablePattern('\\w')!.check('é')).toThrow()
    expect(() => portablePattern('a$')!.check('a\n')).toThrow()
    expect(() => portablePattern('é')!.check('é\n')).not.toThrow()
  })

  test('replacements know groups and escapes', () => {
    expect(portableReplacement('<$1\\$>')!(['all', 'one'])).toBe('<one$>')
    expect([
      portableReplacement('$' + '{name}'),
      portableReplacement('$10'),
      portableReplacement('\\n'),
    ]).toEqual([undefined, undefined, undefined])
  })
})

describe('JSON paths', () => {
  const json = '{"a": {"b": [1.10, "x\\"y", {"c": 1e5}]}, "a b": null, "t": true, "a": 2}'
  test.each([
    ['$.a.b[0]', { kind: 'number', text: '1.10' }],
    ['$.a.b[1]', { kind: 'string', text: 'x"y' }],
    ['$.a.b[2].c', { kind: 'number', text: '1e5' }],
    ['$["a b"]', { kind: 'null' }],
    ['$.t', { kind: 'boolean', value: true }],
    ['$[a][b][0]', { kind: 'number', text: '1.10' }],
    ['$.a.b[9]', undefined],
    ['$.t.x', undefined],
  ])('%s', (path, expected) => {
    expect(findInJson(json, jsonPath(path)!)).toEqual(expected)
  })

  test('other paths and broken objects are refused, other text holds nothing', () => {
    expect(jsonPath('$["a\\"b"].c:d')).toEqual(['a"b', 'c:d'])
    expect([jsonPath('a'), jsonPath('$..a'), jsonPath('$.a[*]')]).toEqual([undefined, undefined, undefined])
    expect(() => findInJson('{"a": 1} x', ['a'])).toThrow()
    expect(findInJson('no json', ['a'])).toBeUndefined()
  })
})

describe('text of JSON', () => {
  test.each([
    [
      '{"b": 1.10, "a": [1e5, 10000000.0, 12345678901234567890123], "": {"z": null, "y": true}}',
      '{"":{"y":true,"z":null},"a":[100000.0,1.0E7,12345678901234567890123],"b":1.1}',
    ],
    ['"\\u001f\\\\u001f\\n\\u00e9/\\/\\""', '"\\u001F\\\\u001f\\nÉ//\\""'.replace('É', 'é')],
    ['[]', '[]'],
    ['{}', '{}'],
    [' [ ] ', '[]'],
    ['[-0, 1e999, "𝄞"]', '[0,"Infinity","\\uD834\\uDD1E"]'],
  ])('%s is kept as %s', (text, expected) => {
    expect(jsonText(sortedJson(parseJson(text)!))).toBe(expected)
  })

  test('names keep their order, and come twice, where nothing sorts them', () => {
    const text = '{"b":1,"a":2,"b":3}'
    expect(jsonText(parseJson(text)!)).toBe(text)
    expect(jsonText(sortedJson(parseJson(text)!))).toBe('{"a":2,"b":3}')
  })

  test('half of a surrogate pair is refused', () => {
    expect(() => jsonText(parseJson('"\\ud800"')!)).toThrow(/does not support JSON/)
  })

  test('text that is no JSON has no value', () => {
    expect(['', '01', 'nul', '[1,]', "'a'", '1 2'].map(parseJson)).toEqual(Array(6).fill(undefined))
  })
})
