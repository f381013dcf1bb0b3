import {
  type BoundTable,
  calendarPartition,
  day,
  defaultPartitionName,
  defineTable,
  hour,
  identity,
  month,
  parseDate,
  t,
  zoneOffset,
} from '@stockpipe/core'
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { type Athena, QueryFailedError } from '../../src/index.ts'
import { withBuilder } from '../../src/kysely/index.ts'
import { type SqlValue, sqlLiteral } from '../../src/sql-literal.ts'

interface Row {
  readonly id: bigint
  readonly ts: Date | null
  readonly nanos: bigint | null
  readonly born: string | null
  readonly symbol: string | null
}

const columns = {
  id: t.int64(),
  ts: t.timestamp().nullable(),
  nanos: t.epochNanos().nullable(),
  born: t.date().nullable(),
  symbol: t.string().nullable(),
}
const at = (name: string) => ({ database: 'hidden', location: `s3://lake/hidden/${name}/` })
/** Clocks that are set at two in the morning, and some that were set back over midnight. */
const eastern = 'America/New_York'
const newfoundland = 'America/St_Johns'
const events = defineTable('events', {
  columns,
  partitions: { ts_day: day('ts', { timeZone: eastern }), ticker: identity('symbol') },
}).at(at('events'))
const fills = defineTable('fills', {
  columns,
  partitions: { nanos_hour: hour('nanos', { timeZone: newfoundland }), born_month: month('born') },
}).at(at('fills'))
/** The same tables and keys, of which nothing says what they are made from. */
const plainEvents = defineTable('events', {
  columns: { ...columns, ts_day: t.string().nullable(), ticker: t.string().nullable() },
}).at(at('events'))
const plainFills = defineTable('fills', {
  columns: { ...columns, nanos_hour: t.string().nullable(), born_month: t.string().nullable() },
}).at(at('fills'))

/** Ends of days of 24, 23 and 25 hours in New York, and midnights in Newfoundland that came twice. */
const edges = [
  '2024-03-08T05:00:00Z',
  '2024-03-10T05:00:00Z',
  '2024-03-11T04:00:00Z',
  '2024-11-03T04:00:00Z',
  '2024-11-03T06:00:00Z',
  '2024-11-04T05:00:00Z',
  '2006-10-29T02:30:30Z',
  '2006-10-29T03:30:30Z',
].map((text) => Date.parse(text))
const beside = [-3_600_000, -1, 0, 1, 3_600_000]
const instants = edges.flatMap((edge) => beside.map((shift) => edge + shift))
const symbols = ['AAPL', 'BRK.B', '', 'a b', defaultPartitionName, null]
const dayOf = (millis: number) => new Date(millis).toISOString().slice(0, 10)

const rowsFrom = (first: number): readonly Row[] =>
  instants.map((millis, n) => ({
    id: BigInt(first + n),
    ts: n % 11 === 7 ? null : new Date(millis),
    nanos: n % 7 === 5 ? null : BigInt(millis) * 1_000_000n - BigInt(n % 2),
    born: n % 9 === 8 ? null : dayOf(millis),
    symbol: symbols[n % symbols.length]!,
  }))
const rows = { events: rowsFrom(0), fills: rowsFrom(100) }

/** The partitions the sink routes a row to. */
const partitionsOf = ({ table }: BoundTable, row: Row): readonly (string | null)[] =>
  table.partitions.map(({ source, transform, timeZone }) => {
    const value = row[source as keyof Row]
    if (value === null) return null
    if (transform === 'identity') {
      return value === '' || value === defaultPartitionName ? null : String(value)
    }
    if (typeof value === 'string') {
      return calendarPartition(transform, parseDate(value)! * 86_400_000, () => 0)
    }
    const millis =
      value instanceof Date ? value.getTime() : Math.floor(Number((value as bigint) / 1000n) / 1000)
    return calendarPartition(transform, millis, zoneOffset(timeZone))
  })

const statements = [
  'CREATE DATABASE hidden',
  ...[events, fills].flatMap((bound) => {
    const { name, partitions } = bound.table
    const keys = partitions.map((partition) => partition.name)
    const values = rows[name as 'events' | 'fills'].map((row) => {
      const literals = [...Object.values(row), ...partitionsOf(bound, row)].map((value) =>
        sqlLiteral(value as SqlValue),
      )
      return `(${literals.join(', ')})`
    })
    return [
      `CREATE EXTERNAL TABLE hidden.${name} (id bigint, ts timestamp, nanos bigint, born date, symbol string)
        PARTITIONED BY (${keys.map((key) => `${key} string`).join(', ')}) STORED AS PARQUET LOCATION '${bound.location}'`,
      `INSERT INTO hidden.${name} SELECT CAST(id AS bigint), ts, nanos, CAST(born AS date), symbol, ${keys.join(', ')}
        FROM (VALUES ${values.join(', ')}) AS v(id, ts, nanos, born, symbol, ${keys.join(', ')})`,
    ]
  }),
]

// biome-ignore lint/suspicious/noExplicitAny: any column with any operator and any constant; tables are typed elsewhere
type Loose = any
/** A predicate over rows that go by these names. */
type Predicate = (eb: Loose, names: readonly string[]) => Loose

const millis = fc.constantFrom(...instants)
const constants = {
  ts: millis.map((value) => new Date(value)),
  nanos: fc
    .tuple(millis, fc.constantFrom(0n, 1n, -1n, 999_999n))
    .map(([value, more]) => BigInt(value) * 1_000_000n + more),
  born: millis.map(dayOf),
  symbol: fc.constantFrom('AAPL', 'BRK.B', '', 'a b', 'Z', defaultPartitionName),
}
type Name = keyof typeof constants

const onColumn: fc.Arbitrary<Predicate> = fc
  .tuple(fc.constantFrom<Name>('ts', 'nanos', 'born', 'symbol'), fc.nat(1))
  .chain(([column, which]) => {
    const constant: fc.Arbitrary<unknown> = constants[column]
    const reference = (names: readonly string[], other = which) => `${names[other % names.length]}.${column}`
    const comparison = fc.constantFrom('=', '!=', '<>', '<', '<=', '>', '>=')
    return fc.oneof(
      fc.tuple(comparison, constant).map(
        ([operator, value]): Predicate =>
          (eb, names) =>
            eb(reference(names), operator, value),
      ),
      fc.tuple(comparison, constant).map(
        ([operator, value]): Predicate =>
          (eb, names) =>
            eb(eb.val(value), operator, eb.ref(reference(names))),
      ),
      fc.tuple(fc.constantFrom('in', 'not in'), fc.array(constant, { maxLength: 3 })).map(
        ([operator, values]): Predicate =>
          (eb, names) =>
            eb(reference(names), operator, values),
      ),
      fc.tuple(constant, constant).map(
        ([low, high]): Predicate =>
          (eb, names) =>
            eb.between(reference(names), low, high),
      ),
      fc.constantFrom('is', 'is not').map(
        (operator): Predicate =>
          (eb, names) =>
            eb(reference(names), operator, null),
      ),
      fc.tuple(fc.constantFrom('is distinct from', 'is not distinct from'), constant).map(
        ([operator, value]): Predicate =>
          (eb, names) =>
            eb(reference(names), operator, value),
      ),
      // Column beside column, of another row too.
      comparison.map(
        (operator): Predicate =>
          (eb, names) =>
            eb(reference(names, 0), operator, eb.ref(reference(names, 1))),
      ),
      // Beside a cast, a calculation, NULL in a list.
      constant.map(
        (value): Predicate =>
          (eb, names) =>
            eb(sql`CAST(${sql.ref(reference(names))} AS varchar)`, '>', String(value)),
      ),
      constant.map(
        (value): Predicate =>
          (eb, names) =>
            eb(
              eb.fn.coalesce(
                reference(names),
                column === 'born' ? sql`DATE ${sql.lit(value)}` : eb.val(value),
              ),
              '=',
              eb.ref(reference(names)),
            ),
      ),
      constant.map(
        (value): Predicate =>
          (eb, names) =>
            eb(eb(reference(names), '<', value), '=', false),
      ),
    )
  })
const inSubquery: fc.Arbitrary<Predicate> = fc
  .tuple(fc.constantFrom<Name>('ts', 'symbol', 'born'), fc.constantFrom('in', 'not in'), onColumn)
  .map(
    ([column, operator, within]): Predicate =>
      (eb, names) =>
        eb(`${names[0]}.${column}`, operator, (inner: Loose) =>
          inner
            .selectFrom('fills as s')
            .select(`s.${column}`)
            .where((deep: Loose) =>
              deep.and([within(deep, ['s', names[0]!]), deep(`s.${column}`, 'is not', null)]),
            ),
        ),
  )
const { predicate } = fc.letrec<{ predicate: Predicate }>((tie) => {
  const parts = fc.array(tie('predicate'), { minLength: 2, maxLength: 3 })
  return {
    predicate: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 8, arbitrary: onColumn },
      { weight: 1, arbitrary: inSubquery },
      {
        weight: 3,
        arbitrary: parts.map(
          (all): Predicate =>
            (eb, names) =>
              eb.and(all.map((one) => one(eb, names))),
        ),
      },
      {
        weight: 3,
        arbitrary: parts.map(
          (all): Predicate =>
            (eb, names) =>
              eb.or(all.map((one) => one(eb, names))),
        ),
      },
      {
        weight: 2,
        arbitrary: tie('predicate').map(
          (one): Predicate =>
            (eb, names) =>
              eb.not(one(eb, names)),
        ),
      },
    ),
  }
})

const both = ['a', 'b'] as const
const joins = ['innerJoin', 'leftJoin', 'rightJoin', 'fullJoin'] as const
type Query = (db: Loose) => Loose

const query: fc.Arbitrary<Query> = fc.oneof(
  predicate.map(
    (where): Query =>
      (db) =>
        db
          .selectFrom('events as a')
          .select('a.id')
          .where((eb: Loose) => where(eb, ['a'])),
  ),
  fc
    .tuple(
      fc.constantFrom(...joins),
      fc.constantFrom<Name>('symbol', 'born'),
      predicate,
      fc.option(predicate),
    )
    .map(
      ([kind, column, on, where]): Query =>
        (db) => {
          const joined = db
            .selectFrom('events as a')
            [kind]('fills as b', (join: Loose) =>
              join.onRef(`a.${column}`, '=', `b.${column}`).on((eb: Loose) => on(eb, both)),
            )
            .select(['a.id as a_id', 'b.id as b_id'])
          return where ? joined.where((eb: Loose) => where(eb, both)) : joined
        },
    ),
  fc.tuple(fc.constantFrom(...joins), predicate, predicate).map(
    ([kind, on, where]): Query =>
      (db) =>
        db
          .selectFrom('fills as b')
          [kind]('events as a', 'a.symbol', 'b.symbol')
          .innerJoin('events as c', (join: Loose) =>
            join.onRef('c.id', '=', 'a.id').on((eb: Loose) => on(eb, ['c', 'b'])),
          )
          .select(['b.id as b_id', 'c.id as c_id'])
          .where((eb: Loose) => where(eb, ['b', 'c'])),
  ),
  fc.tuple(predicate, predicate).map(
    ([within, where]): Query =>
      (db) =>
        db
          .with('some', (qb: Loose) =>
            qb
              .selectFrom('events as a')
              .selectAll()
              .where((eb: Loose) => within(eb, ['a'])),
          )
          .selectFrom('some as a')
          .select('a.id')
          .where((eb: Loose) => where(eb, ['a']))
          .unionAll(
            db
              .selectFrom('fills as a')
              .select('a.id')
              .where((eb: Loose) => where(eb, ['a'])),
          ),
  ),
  fc.tuple(predicate, predicate).map(
    ([within, where]): Query =>
      (db) =>
        db
          .selectFrom('events as a')
          .select('a.id')
          .where((eb: Loose) => where(eb, ['a']))
          .where((eb: Loose) =>
            eb.exists(
              eb
                .selectFrom('fills as b')
                .select('b.id')
                .whereRef('b.symbol', '=', 'a.symbol')
                .where((inner: Loose) => within(inner, both)),
            ),
          ),
  ),
)

/** Undefined for a query that an engine does not run as it stands: there is nothing to compare then. */
const notRun = (error: unknown): undefined => {
  if (!(error instanceof QueryFailedError)) throw error
}

/** Some subqueries that look at what is around them have no plan, in Trino as in DuckDB, where some are a defect of it. */
const withoutPlan = (error: unknown): undefined => {
  const isKnown =
    error instanceof QueryFailedError &&
    /INTERNAL Error: |Invalid node|cannot plan|not supported|NOT_SUPPORTED/.test(error.message)
  if (!isKnown) throw error
}

/** Rows of generated queries with what they imply of partitions, beside those of the queries as they stand. */
export const hiddenPartitionTests = (askedOf: () => Athena, runs: number, timeoutMillis: number): void => {
  beforeAll(async () => {
    for (const statement of statements) await askedOf().queryText({ sql: statement })
  }, timeoutMillis)

  test('what a query implies of partitions keeps all its rows', { timeout: timeoutMillis }, async () => {
    let narrowed = 0
    let kept = 0
    await fc.assert(
      fc.asyncProperty(query, async (build) => {
        const built = (first: BoundTable, second: BoundTable) =>
          build(withBuilder(askedOf(), { allowFullScan: true }).from(first, second))
        const hidden = built(events, fills)
        const plain = built(plainEvents, plainFills)
        const { sql: text } = hidden.compile()
        if (text === plain.compile().sql) return
        const answer = async (asked: Loose) =>
          ((await asked.execute()) as object[]).map((row) => Object.values(row).join()).sort()
        const wanted = await answer(plain).catch(notRun)
        if (wanted === undefined) return
        const answered = await answer(hidden).catch(withoutPlan)
        if (answered === undefined) return
        narrowed += 1
        expect(answered, text).toEqual(wanted)
        if (wanted.length > 0) kept += 1
      }),
      { numRuns: runs },
    )
    expect(narrowed).toBeGreaterThan(0)
    expect(kept).toBeGreaterThan(0)
  })
}
