import { ConfigurationError, Decimal, day, defineTable, t } from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { identifier, list, literal, SqlFragment, type SqlValue, sql, sqlLiteral } from '../src/index.ts'
import { bindParameters } from '../src/sql-parameters.ts'

const trades = defineTable('trades', {
  columns: { ts: t.timestamp() },
  partitions: { trade_date: day('ts') },
}).at({ database: 'market', location: 's3://lake/trades/' })

describe('sqlLiteral', () => {
  test.each<[SqlValue, string]>([
    ['AAPL', "'AAPL'"],
    ['', "''"],
    ["O'Reilly", "'O''Reilly'"],
    ["\\' OR 1=1 --", "'\\'' OR 1=1 --'"],
    [5, '5'],
    [-5, '-5'],
    [0.1, '0.1E0'],
    [1e21, '1E21'],
    [1.5e-7, '1.5E-7'],
    [-0, '-0E0'],
    [Number.NaN, 'nan()'],
    [Number.NEGATIVE_INFINITY, '-infinity()'],
    [2n ** 63n - 1n, '9223372036854775807'],
    [2n ** 63n, "DECIMAL '9223372036854775808'"],
    [true, 'true'],
    [null, 'NULL'],
    [new Date('2024-03-08T14:30:00.123Z'), "TIMESTAMP '2024-03-08 14:30:00.123'"],
    [Decimal.parse('-1.50'), "DECIMAL '-1.50'"],
    [new Uint8Array([0, 255]), "X'00FF'"],
  ])('%o is %s', (value, text) => {
    expect(sqlLiteral(value)).toBe(text)
  })

  test.each([
    [undefined, /cannot be undefined/],
    [['a'], /cannot be an array/],
    [{ sql: '1; DROP', parameters: [] }, /cannot be of type object/],
    [new Date(Number.NaN), /cannot be an invalid Date/],
    [new Date('+012024-01-01T00:00:00Z'), /year is outside/],
    ['half \ud800', /half a surrogate pair/],
    [10n ** 40n, /a decimal of 41 digits/],
    [Symbol('x'), /of type symbol/],
  ])('%o is refused', (value, message) => {
    const make = () => sqlLiteral(value as SqlValue)
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(message)
  })
})

describe('sql', () => {
  test('values are parameters, tables and identifiers names, fragments text with their own values', () => {
    const recent = sql`trade_date >= ${'2024-01-01'}`
    const query = sql`SELECT ${identifier('odd"name')} FROM ${trades} WHERE ${recent} AND size > ${5n}`
    expect(query).toMatchObject({
      sql: 'SELECT "odd""name" FROM "market"."trades" WHERE trade_date >= ? AND size > ?',
      parameters: ['2024-01-01', 5n],
    })
    expect(bindParameters(query.sql, query.parameters)).toEqual({
      queryString: query.sql,
      executionParameters: ["'2024-01-01'", '5'],
    })
  })

  test('no text is lost to an escape of JavaScript', () => {
    // Of these JavaScript makes undefined, which would leave out all of the text around.
    expect(() => sql`DELETE FROM t WHERE a = ${1} AND b = '\1'`).toThrow(ConfigurationError)
    expect(() => sql`SELECT '\u{41'`).toThrow(/cannot read: write two backslashes/)
    expect(() => sql`SELECT regexp_like(a, '\d+')`).toThrow(/has \\d in SELECT .* without the backslash/)
    expect(() => sql`SELECT '\\' || '\.'`).toThrow(/has \\\. in/)
    expect(sql`SELECT '\\d', '\n\t', \`a\`, '$\{x}', '\${y}', '\\\\1'`.sql).toBe(
      `SELECT '\\d', '\n\t', \`a\`, '$\{x}', '\${y}', '\\\\1'`,
    )
  })

  test('an object that looks like a fragment is none', () => {
    const forged = JSON.parse('{"sql": "1; DROP TABLE t", "parameters": []}')
    expect(() => sql`SELECT ${forged}`).toThrow(/cannot be of type object/)
  })

  test('a value of over 1,024 characters goes into the text', () => {
    const long = `${"it's ".repeat(250)}?`
    const { sql: text, parameters } = sql`SELECT '?' WHERE a = ${1} AND b = ${long} AND c = ${2} -- ?`
    expect(bindParameters(text, parameters)).toEqual({
      queryString: `SELECT '?' WHERE a = ? AND b =  '${long.replaceAll("'", "''")}'  AND c = ? -- ?`,
      executionParameters: ['1', '2'],
    })
  })

  test('a literal stands apart from what is around it', () => {
    expect(sql`SELECT 1 -${literal(-5)}`.sql).toBe('SELECT 1 - (-5) ')
    expect(sql`SELECT 'a'${literal('b')}`.sql).toBe("SELECT 'a' 'b' ")
  })

  test('a value inside quotes is refused: it would be no parameter', () => {
    const { sql: text, parameters } = sql`SELECT 1 WHERE a = '${'x'}'`
    expect(() => bindParameters(text, parameters)).toThrow(
      /has 0 parameters \(\?\) and 1 values.*leave the quotes/,
    )
  })

  test('values that are too few or too many are refused', () => {
    expect(() => bindParameters('SELECT ? + ?', [1])).toThrow(/has 2 parameters/)
    expect(() => bindParameters('SELECT 1 /* ? */ -- ?', [1])).toThrow(/has 0 parameters/)
  })

  test('a statement over 262,144 bytes is refused', () => {
    expect(() => bindParameters(`SELECT '${'é'.repeat(131_072)}'`, [])).toThrow(/262153 bytes/)
  })

  test.each(['', 'a\0b'])('the identifier %j is refused', (name) => {
    expect(() => identifier(name)).toThrow(ConfigurationError)
  })
})

describe('values by where they stand', () => {
  const bound = (fragment: SqlFragment) => bindParameters(fragment.sql, fragment.parameters, fragment.quoted)

  test.each<[string, SqlFragment, string, readonly string[]]>([
    [
      'in what is selected and in clauses without a predicate',
      sql`SELECT ${1} + a FROM t WHERE a = ${2} GROUP BY a HAVING count(*) > ${3n} ORDER BY a OFFSET ${4} LIMIT ${5}`,
      'SELECT  1  + a FROM t WHERE a = ? GROUP BY a HAVING count(*) > ? ORDER BY a OFFSET  4  LIMIT  5 ',
      ['2', '3'],
    ],
    [
      'in subqueries and common tables',
      sql`WITH w AS (SELECT ${1} AS x FROM t WHERE b IN (SELECT ${2} FROM u WHERE c = ${3})) SELECT x FROM w JOIN t ON x = ${4} AND b = f(${5}) LEFT JOIN v USING (x) WHERE x IN ${list([6, 7])}`,
      'WITH w AS (SELECT  1  AS x FROM t WHERE b IN (SELECT  2  FROM u WHERE c = ?)) SELECT x FROM w JOIN t ON x = ? AND b = f(?) LEFT JOIN v USING (x) WHERE x IN (?, ?)',
      ['3', '4', '5', '6', '7'],
    ],
    [
      'in the FILTER of an aggregate',
      sql`SELECT count(*) FILTER (WHERE a = ${1} AND (b = ${2})) FROM t WHERE a = ${3}`,
      'SELECT count(*) FILTER (WHERE a =  1  AND (b =  2 )) FROM t WHERE a = ?',
      ['3'],
    ],
    [
      'among the arguments of a JSON function, whose path is a literal',
      sql`SELECT a FROM t WHERE json_value(a, ${'lax $.b'} DEFAULT ${'x'} ON EMPTY) = ${'c'}`,
      "SELECT a FROM t WHERE json_value(a,  'lax $.b'  DEFAULT  'x'  ON EMPTY) = ?",
      ["'c'"],
    ],
    [
      'behind the name of a type',
      sql`SELECT a FROM t WHERE a = DATE ${'2024-03-08'} AND b < c + INTERVAL ${'1'} DAY AND d = ${'x'} AND e AT TIME ZONE ${'UTC'} > f`,
      "SELECT a FROM t WHERE a = DATE  '2024-03-08'  AND b < c + INTERVAL  '1'  DAY AND d = ? AND e AT TIME ZONE  'UTC'  > f",
      ["'x'"],
    ],
    [
      'in VALUES',
      sql`INSERT INTO t (a) SELECT a FROM (VALUES ${1}, ${-2}) AS v (a) WHERE a > ${0}`,
      'INSERT INTO t (a) SELECT a FROM (VALUES  1 ,  (-2) ) AS v (a) WHERE a > ?',
      ['0'],
    ],
    [
      'in the properties of a new table',
      sql`CREATE TABLE t WITH (external_location = ${'s3://b/p/'}) AS SELECT a FROM u WHERE a = ${1}`,
      "CREATE TABLE t WITH (external_location =  's3://b/p/' ) AS SELECT a FROM u WHERE a = ?",
      ['1'],
    ],
    [
      'in an UNLOAD',
      sql`UNLOAD (SELECT a FROM u WHERE a = ${1}) TO ${'s3://b/p/'} WITH (format = ${'PARQUET'})`,
      "UNLOAD (SELECT a FROM u WHERE a = ?) TO  's3://b/p/'  WITH (format =  'PARQUET' )",
      ['1'],
    ],
    [
      'in a view, which takes none',
      sql`CREATE OR REPLACE VIEW ${identifier('v"')} AS SELECT a FROM t WHERE a = ${"it's \\"}`,
      `CREATE OR REPLACE VIEW "v""" AS SELECT a FROM t WHERE a =  'it''s \\' `,
      [],
    ],
    ['in a DELETE, which takes none', sql`DELETE FROM t WHERE a = ${1}`, 'DELETE FROM t WHERE a =  1 ', []],
    ['in an EXECUTE', sql`EXECUTE p USING ${1}, ${'x'}`, "EXECUTE p USING  1 ,  'x' ", []],
    [
      'behind comments',
      sql`-- WHERE ?\r/* SELECT */ (SELECT a FROM t WHERE /* ? */ a = ${1})`,
      '-- WHERE ?\r/* SELECT */ (SELECT a FROM t WHERE /* ? */ a = ?)',
      ['1'],
    ],
  ])('%s', (_, fragment, queryString, executionParameters) => {
    expect(bound(fragment)).toEqual({ queryString, executionParameters })
  })

  test.each<[SqlFragment, string]>([
    [
      sql`ALTER TABLE ${identifier('market', '_odd"name')} ADD PARTITION (dt = ${"it's C:\\x"}) LOCATION ${'s3://b/p/'}`,
      "ALTER TABLE `market`.`_odd\"name` ADD PARTITION (dt =  'it\\'s C:\\\\x' ) LOCATION  's3://b/p/' ",
    ],
    [
      sql`CREATE EXTERNAL TABLE ${identifier('t')} (a string COMMENT ${'?'}) STORED AS PARQUET TBLPROPERTIES ('k' = ${literal("'")})`,
      "CREATE EXTERNAL TABLE `t` (a string COMMENT  '?' ) STORED AS PARQUET TBLPROPERTIES ('k' =  '\\'' )",
    ],
    [
      sql`CREATE TABLE t (a string) LOCATION ${'s3://b/'} TBLPROPERTIES ('table_type' = 'ICEBERG')`,
      "CREATE TABLE t (a string) LOCATION  's3://b/'  TBLPROPERTIES ('table_type' = 'ICEBERG')",
    ],
    [
      sql`ALTER TABLE t DROP PARTITION (a = ${-5}, b = ${7n}, c = ${Decimal.parse('1.50')}, d = ${1e21}, e = ${true})`,
      'ALTER TABLE t DROP PARTITION (a =  (-5) , b =  7 , c =  1.50 , d =  1000000000000000000000 , e =  true )',
    ],
    [sql`DESCRIBE ${identifier('a', 'b')}`, 'DESCRIBE `a`.`b`'],
    [sql`SHOW TABLES IN ${identifier('a')} ${'x*'}`, "SHOW TABLES IN `a`  'x*' "],
    [sql`DROP TABLE ${identifier('view')}`, 'DROP TABLE `view`'],
    [sql`DROP VIEW ${identifier('a')}`, 'DROP VIEW "a"'],
  ])('%o is written as Hive reads it', (fragment, queryString) => {
    expect(bound(fragment)).toEqual({ queryString, executionParameters: [] })
    // A template that is spread says where its names are.
    expect(bound({ ...fragment } as SqlFragment).queryString).toBe(queryString)
  })

  test('a table in DDL is named in backticks, and a template in a template keeps its places', () => {
    const where = sql`PARTITION (${identifier('dt')} = ${'x'})`
    expect(bound(sql`ALTER TABLE ${trades} DROP ${where}, ${where}`).queryString).toBe(
      "ALTER TABLE `market`.`trades` DROP PARTITION (`dt` =  'x' ), PARTITION (`dt` =  'x' )",
    )
  })

  test.each([
    [sql`DROP TABLE ${identifier('a`; DROP TABLE b')}`, /it has a backtick/],
    [sql`ALTER TABLE t DROP PARTITION (a = ${null})`, /no literal for NULL: pass the text/],
    [sql`ALTER TABLE t DROP PARTITION (a = ${new Date(0)})`, /no literal for a Date/],
    [sql`ALTER TABLE t DROP PARTITION (a = ${Number.NaN})`, /no literal for such a value/],
    [{ ...sql`DROP TABLE ${identifier('a')}`, sql: ' DROP TABLE "a"' } as SqlFragment, /was changed after/],
  ])('%o is refused', (fragment, message) => {
    expect(() => bound(fragment)).toThrow(ConfigurationError)
    expect(() => bound(fragment)).toThrow(message)
  })

  test('a list holds no null, and an empty one is an empty query', () => {
    expect(() => list(['a', null])).toThrow(/cannot hold null: IN never finds it/)
    expect(() => list(['a', ['b']] as never)).toThrow(/cannot be an array/)
    expect(list([])).toMatchObject({ sql: '(SELECT NULL WHERE false)', parameters: [] })
  })
})

/** Reads one Trino literal or quoted identifier from the start; answers what is left. */
const readQuoted = (text: string, quote: string): { value: string; rest: string } => {
  let value = ''
  let index = 1
  for (;;) {
    const character = text[index]
    if (character === undefined) throw new Error(`unterminated: ${text}`)
    if (character === quote) {
      if (text[index + 1] !== quote) return { value, rest: text.slice(index + 1) }
      index += 1
    }
    value += character
    index += 1
  }
}

const hiveEscapes: Readonly<Record<string, string>> = {
  ...{ '0': '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a', '%': '\\%', _: '\\_' },
}

/**
 * Reads one Hive string or name in backticks from the start. In strings a backslash takes four hex digits behind `u`,
 * three octal ones, or the next character.
 */
const readHive = (text: string): { value: string; rest: string } => {
  const quote = text[0]!
  expect(["'", '`']).toContain(quote)
  let value = ''
  for (let index = 1; ; index++) {
    const character = text[index]
    if (character === undefined) throw new Error(`unterminated: ${text}`)
    if (character === quote) return { value, rest: text.slice(index + 1) }
    if (quote === '`' || character !== '\\') {
      value += character
      continue
    }
    const [code] = /^(?:u[0-9a-fA-F]{4}|[01][0-7]{2})/.exec(text.slice(index + 1)) ?? []
    const next = text[index + 1] ?? ''
    value += code
      ? String.fromCharCode(code[0] === 'u' ? Number(`0x${code.slice(1)}`) : Number(`0o${code}`))
      : (hiveEscapes[next] ?? next)
    index += code?.length ?? 1
  }
}

const bindable = ({ sql: text, parameters, quoted }: SqlFragment) => [text, parameters, quoted] as const

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      ...["'", '"', '`', '\\', '?', '--', '/*', '*/', ';', '\n', '\r', '\0', 'U&', ' ', 'é', '𝄞'],
      ...[
        '\\u0027',
        '\\047',
        'u0027',
        '047',
        'UESCAPE',
        '\u2019',
        '\uff07',
        '\u2028',
        '\ufeff',
        '$$',
        '{',
        ')',
      ],
    ),
  }),
  fc.string({ unit: fc.constantFrom("'", 'x'), minLength: 1000, maxLength: 1200 }),
)

describe(`no value leaves its literal (FUZZ_SEED=${seed})`, () => {
  test('strings, as a parameter and in the text', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        fc.pre(!/[\uD800-\uDFFF]/u.test(value))
        const text = sqlLiteral(value)
        expect(text[0]).toBe("'")
        expect(readQuoted(text, "'")).toEqual({ value, rest: '' })
        const inText = sql`SELECT 'a'${literal(value)}, ${identifier('b')} FROM t WHERE x = ${7}`.sql
        expect(inText.startsWith("SELECT 'a' '")).toBe(true)
        expect(readQuoted(inText.slice("SELECT 'a' ".length), "'")).toEqual({
          value,
          rest: ' , "b" FROM t WHERE x = ?',
        })
        // The placeholder after the literal is still found, whatever quotes and comments the literal holds.
        expect(bindParameters(inText, [7]).executionParameters).toEqual(['7'])
      }),
      { seed, numRuns: 2000 },
    )
  })

  test('several values keep their places', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 5 }), (values) => {
        fc.pre(values.every((value) => !/[\uD800-\uDFFF]/u.test(value)))
        const text = values.map(() => 'a = ?').join(' AND ')
        const { queryString, executionParameters } = bindParameters(text, values)
        const parameters = [...executionParameters]
        const found: string[] = []
        let rest = queryString
        for (const _ of values) {
          expect(rest.startsWith('a = ')).toBe(true)
          rest = rest.slice(4)
          if (rest.startsWith('?')) {
            found.push(readQuoted(parameters.shift()!, "'").value)
            rest = rest.slice(1)
          } else {
            const read = readQuoted(rest.slice(1), "'")
            found.push(read.value)
            rest = read.rest.slice(1)
          }
          rest = rest.replace(/^ AND /, '')
        }
        expect(found).toEqual(values)
        expect([rest, parameters]).toEqual(['', []])
      }),
      { seed, numRuns: 1000 },
    )
  })

  test('identifiers', () => {
    fc.assert(
      fc.property(hostile, (name) => {
        fc.pre(name !== '' && !name.includes('\0') && !/[\uD800-\uDFFF]/u.test(name))
        expect(readQuoted(identifier(name).sql, '"')).toEqual({ value: name, rest: '' })
      }),
      { seed, numRuns: 1000 },
    )
  })

  test('strings and names in DDL that Hive reads, where a backslash escapes', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, value, other) => {
        fc.pre([name, value, other].every((text) => !/[\uD800-\uDFFF]/u.test(text)))
        fc.pre(name !== '' && !/[\0`]/.test(name))
        const { queryString, executionParameters } = bindParameters(
          ...bindable(
            sql`ALTER TABLE ${identifier(name)} DROP PARTITION (a = ${value}, b=${literal(other)}, c = ${7})`,
          ),
        )
        expect(executionParameters).toEqual([])
        const read: string[] = []
        let rest = queryString.slice('ALTER TABLE '.length)
        for (const after of [' DROP PARTITION (a =  ', ' , b= ', ' , c =  7 )']) {
          const part = readHive(rest)
          read.push(part.value)
          expect(part.rest.startsWith(after)).toBe(true)
          rest = part.rest.slice(after.length)
        }
        expect([...read, rest]).toEqual([name, value, other, ''])
      }),
      { seed, numRuns: 2000 },
    )
  })

  test('a string with half a surrogate pair is refused by both dialects, and so is such a name', () => {
    const half = fc.integer({ min: 0xd800, max: 0xdfff }).map((code) => String.fromCharCode(code))
    const text = fc
      .tuple(hostile, half)
      .map(([before, one]) => `${before.replace(/[\uD800-\uDFFF]+$/, '')}${one}`)
    fc.assert(
      fc.property(text, (value) => {
        expect(() => sqlLiteral(value)).toThrow(/half a surrogate pair/)
        expect(() => sql`ALTER TABLE t DROP PARTITION (a = ${value})`).toThrow(/half a surrogate pair/)
        expect(() => bindParameters('ALTER TABLE t DROP PARTITION (a = ?)', [value])).toThrow(
          /half a surrogate/,
        )
        expect(() => identifier(value)).toThrow(/cannot be a SQL identifier/)
      }),
      { seed, numRuns: 300 },
    )
  })

  /** What a literal of Trino's or Hive's says, read by rules of its own, and what is left. */
  const readLiteral = (text: string, dialect: 'trino' | 'hive'): readonly [string, string] => {
    const quoted = /^(?:(X|DECIMAL |TIMESTAMP )(?='))?'/.exec(text)
    if (quoted) {
      const from = text.slice(quoted[0].length - 1)
      const { value, rest } = dialect === 'hive' ? readHive(from) : readQuoted(from, "'")
      return [`${quoted[1] ?? ''}${value}`, rest]
    }
    const [plain = ''] =
      /^(?:NULL|true|false|nan\(\)|-?infinity\(\)|-?\d+(?:\.\d+)?(?:E-?\d+)?)(?![\w.'"])/.exec(text) ?? []
    expect(plain, text).not.toBe('')
    return [plain, text.slice(plain.length)]
  }

  const bounded = 10n ** 38n - 1n
  const others = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.bigInt({ min: -bounded, max: bounded }),
    fc.boolean(),
    fc
      .tuple(fc.bigInt({ min: -bounded, max: bounded }), fc.nat(38))
      .map(([unscaled, scale]) => Decimal.of(unscaled, scale)),
  )
  const trinoOnly = fc.oneof(
    fc.constant(null),
    fc.uint8Array({ maxLength: 600 }),
    fc.date({ noInvalidDate: true, min: new Date(-62135596800000), max: new Date(253402300799999) }),
  )

  /** What `readLiteral` answers for a value. */
  const said = (value: SqlValue, dialect: 'trino' | 'hive'): string => {
    if (typeof value === 'string') return value
    if (value instanceof Uint8Array) return `X${Buffer.from(value).toString('hex').toUpperCase()}`
    if (value instanceof Date) return `TIMESTAMP ${value.toISOString().slice(0, -1).replace('T', ' ')}`
    if (dialect === 'hive') {
      return typeof value === 'number' ? Decimal.parse(String(value)).toString() : String(value)
    }
    if (Decimal.isDecimal(value)) return `DECIMAL ${value}`
    return sqlLiteral(value).replace(/^(DECIMAL )'(.*)'$/, '$1$2')
  }

  const comments = ['', ' ', "/* ? ' */", '/* -- */', "-- ? '\n", '/**/', '--\r']

  test.each([
    ['trino', 'SELECT', fc.oneof(hostile, others, trinoOnly)],
    ['trino', 'CREATE VIEW v AS SELECT', fc.oneof(hostile, others, trinoOnly)],
    [
      'hive',
      'ALTER TABLE t DROP PARTITION',
      fc.oneof(
        hostile,
        others.filter((value) => typeof value !== 'number' || Number.isFinite(value)),
      ),
    ],
  ] as const)('values of every kind among comments, as %s reads them: %s', (dialect, beginning, values) => {
    // Hive knows no comments in /* */.
    const between = fc.constantFrom(...comments.filter((text) => dialect === 'trino' || !text.includes('*')))
    const part = fc.tuple(between, fc.boolean(), values as fc.Arbitrary<SqlValue>)
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        fc.pre(parts.every(([, , value]) => typeof value !== 'string' || !/[\uD800-\uDFFF]/u.test(value)))
        let fragment = sql`${new SqlFragment(beginning, [])} WHERE (`
        for (const [comment, inText, value] of parts) {
          const remark = new SqlFragment(comment, [])
          fragment = sql`${fragment}${remark}a=${inText ? literal(value) : value}${remark}, `
        }
        const { queryString, executionParameters } = bindParameters(...bindable(sql`${fragment}b)`))
        const parameters = [...executionParameters]
        let rest = queryString.slice(`${beginning} WHERE (`.length)
        for (const [comment, , value] of parts) {
          expect(rest.startsWith(`${comment}a=`), rest).toBe(true)
          rest = rest.slice(`${comment}a=`.length)
          if (rest.startsWith('?')) {
            expect(readLiteral(parameters.shift()!, dialect)).toEqual([said(value, dialect), ''])
            rest = rest.slice(1)
          } else {
            const isNegative = rest.startsWith(' (-')
            const [told, left] = readLiteral(rest.slice(isNegative ? 2 : 1), dialect)
            expect(told).toBe(said(value, dialect))
            expect(left.startsWith(isNegative ? ') ' : ' ')).toBe(true)
            rest = left.slice(isNegative ? 2 : 1)
          }
          expect(rest.startsWith(`${comment}, `), rest).toBe(true)
          rest = rest.slice(`${comment}, `.length)
        }
        expect([rest, parameters]).toEqual(['b)', []])
      }),
      { seed, numRuns: 1000 },
    )
  })

  test('numbers, decimals and dates hold no character that could begin anything', () => {
    const values = fc.oneof(
      fc.double(),
      fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
      fc.date({ noInvalidDate: true, min: new Date(-62135596800000), max: new Date(253402300799999) }),
      fc
        .tuple(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), fc.nat(38))
        .map(([unscaled, scale]) => Decimal.of(unscaled, scale)),
    )
    const shape =
      /^(?:-?\d+|-?\d+(?:\.\d+)?E-?\d+|nan\(\)|-?infinity\(\)|DECIMAL '-?\d+(?:\.\d+)?'|TIMESTAMP '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}')$/
    fc.assert(
      fc.property(values, (value) => {
        expect(sqlLiteral(value)).toMatch(shape)
        if (typeof value === 'number' && Number.isFinite(value)) expect(Number(sqlLiteral(value))).toBe(value)
      }),
      { seed, numRuns: 3000 },
    )
  })
})
