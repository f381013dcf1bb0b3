import { Decimal, day, defineTable, hour, identity, t, year } from '../../packages/core/dist/index.js'
import { catalogTable } from '../../packages/glue/dist/index.js'

/** The database of the check, and the bucket its tables are in. */
export const database = 'market'
export const bucket = 'market-lake'
const place = (name) => ({ database, location: `s3://${bucket}/${name}/` })

/** What symbols of markets hold, and what keys on S3, Hive, URLs and SQL take for something else. */
export const oddSymbols = [
  'BRK.B',
  'a b+c%',
  'x=y',
  'p:q',
  'é/ü',
  'q\'"*?#[]^\\{}',
  '__x',
  '100%25',
  'tab\there',
  'BF/A',
  '^GSPC',
  'EURUSD=X',
  'T&T',
  "O'N",
  'RDS-A',
  'back\\slash',
  '日本🐂',
  '$dollar',
  'a~b!@(c)',
  'semi;colon|pipe',
]
/** These go into no list of an enumeration: one holds the comma that separates them, others blanks at an end. */
export const unlistedSymbols = ['A,B', ' lead', 'trail ']

const noise = (index) => {
  const bits = Math.imul(index + 1, 0x9e3779b1)
  return Math.imul(bits ^ (bits >>> 15), 0x85ebca6b) >>> 0
}

const everyType = {
  flag: t.boolean().nullable(),
  tiny: t.int8().nullable(),
  small: t.int16().nullable(),
  whole: t.int32().nullable(),
  long: t.int64().nullable(),
  single: t.float().nullable(),
  real: t.double().nullable(),
  price: t.decimal(9, 2).nullable(),
  amount: t.decimal(18, 4).nullable(),
  widest: t.decimal(38, 10).nullable(),
  text: t.string().nullable(),
  raw: t.binary().nullable(),
  born: t.date().nullable(),
  at: t.timestamp().nullable(),
  nanos: t.epochNanos().nullable(),
  tags: t.list(t.string().nullable()).nullable(),
  fees: t.map(t.string(), t.decimal(9, 2)).nullable(),
  venue: t.struct({ name: t.string(), level: t.int32().nullable() }).nullable(),
  legs: t.list(t.struct({ price: t.decimal(18, 4), sizes: t.list(t.int64()) })).nullable(),
  codec: t.string(),
}
/** Edges of the types, then values that look like any. */
const typedRow = (codec, serial) => {
  const bits = noise(serial)
  const some = (salt, value) => (noise(serial * 31 + salt) % 9 === 0 ? null : value)
  const nines = (digits) => 10n ** BigInt(digits) - 1n
  const edge = serial < 2
  const sign = serial === 0 ? 1n : -1n
  return {
    flag: some(1, bits % 2 === 0),
    tiny: edge ? (serial === 0 ? 127 : -128) : some(2, (bits % 256) - 128),
    small: edge ? (serial === 0 ? 32_767 : -32_768) : some(3, (bits % 65_536) - 32_768),
    whole: edge ? (serial === 0 ? 2_147_483_647 : -2_147_483_648) : some(4, bits | 0),
    long: edge ? (serial === 0 ? 2n ** 63n - 1n : -(2n ** 63n)) : some(5, BigInt(bits) * -2_000_000_000n),
    single: edge ? Math.fround(0.1) : some(6, Math.fround(bits / 8)),
    real: edge ? (serial === 0 ? 5e-324 : -1.7976931348623157e308) : some(7, bits / 3),
    price: edge ? Decimal.of(sign * nines(9), 2) : some(8, Decimal.of(BigInt((bits % 2000) - 1000), 2)),
    amount: edge ? Decimal.of(sign * nines(18), 4) : some(9, Decimal.of(BigInt(bits) * -1_000_003n, 4)),
    widest: edge ? Decimal.of(sign * nines(38), 10) : some(10, Decimal.of(BigInt(bits) ** 3n, 10)),
    text: edge ? (serial === 0 ? '' : 'null') : some(11, bits % 50 === 0 ? `é🐂 ${bits}` : `t${bits % 300}`),
    raw: some(12, new Uint8Array(bits % 40).fill(bits)),
    born: edge
      ? serial === 0
        ? '0001-01-01'
        : '9999-12-31'
      : some(13, `2${String(bits % 1000).padStart(3, '0')}-01-31`),
    at: edge
      ? new Date(serial === 0 ? -1 : 253_402_300_799_999)
      : some(14, new Date(1_700_000_000_000 + bits)),
    nanos: some(15, 1_700_000_000_123_456_789n + BigInt(bits)),
    tags: some(
      16,
      Array.from({ length: bits % 4 }, (_, tag) => (tag === 2 ? null : `g${(bits >> tag) % 5}`)),
    ),
    fees: some(
      17,
      new Map(
        bits % 3 === 0
          ? []
          : [
              ['fee', Decimal.of(BigInt(bits % 700), 2)],
              ['tax', Decimal.of(-1n, 2)],
            ],
      ),
    ),
    venue: some(18, { name: `v${bits % 3}`, level: bits % 2 === 0 ? null : bits % 11 }),
    legs: some(
      19,
      Array.from({ length: bits % 3 }, (_, leg) => ({
        price: Decimal.of(BigInt(bits) + BigInt(leg), 4),
        sizes: Array.from({ length: (bits >> leg) % 3 }, (_, at) => BigInt(at) * BigInt(bits)),
      })),
    ),
    codec,
  }
}

const compressions = {
  snappy: 'snappy',
  gzip: 'gzip',
  zstd: 'zstd',
  'zstd-19': { codec: 'zstd', level: 19 },
  none: 'none',
}

/** Every type in every compression, one a partition. */
const codecs = {
  name: 'codecs',
  definition: {
    table: defineTable('codecs', { columns: everyType, partitions: { compression: identity('codec') } }).at(
      place('codecs'),
    ),
  },
  batches: Object.entries(compressions).map(([codec, compression]) => ({
    compression,
    rows: Array.from({ length: 400 }, (_, serial) => typedRow(codec, serial)),
  })),
}

const trades = (name, symbol = t.string()) =>
  defineTable(name, {
    columns: { symbol, price: t.decimal(18, 4), ts: t.timestamp() },
    partitions: { trade_date: day('ts', { timeZone: 'America/New_York' }), ticker: identity('symbol') },
  }).at(place(name))
/** Three days of each symbol; the third lies on another day in UTC than in New York. */
const tradesOf = (symbols) => [
  {
    rows: symbols.flatMap((symbol, index) =>
      [Date.UTC(2024, 2, 8, 15), Date.UTC(2024, 2, 11, 15, 30), Date.UTC(2024, 2, 13, 2)].map(
        (millis, at) => ({
          symbol,
          price: Decimal.of(BigInt(index * 100 + at), 4),
          ts: new Date(millis + index),
        }),
      ),
    ),
  },
]

const registered = {
  name: 'registered',
  definition: { table: trades('registered', t.string().nullable()) },
  batches: tradesOf([...oddSymbols, ...unlistedSymbols, null]),
}
const range = { from: '2024-03-07', to: '2024-03-14' }
const listed = {
  name: 'listed',
  definition: catalogTable({
    table: trades('listed'),
    partitioning: { kind: 'projected', keys: { trade_date: range, ticker: { values: oddSymbols } } },
  }),
  batches: tradesOf(oddSymbols),
}
const injected = {
  name: 'injected',
  definition: catalogTable({
    table: trades('injected'),
    partitioning: { kind: 'projected', keys: { trade_date: range, ticker: { injected: true } } },
  }),
  batches: tradesOf([...oddSymbols, ...unlistedSymbols]),
  /** Queries must name the value. */
  bySymbol: [...oddSymbols, ...unlistedSymbols],
}

const templated = {
  name: 'templated',
  definition: catalogTable({
    table: trades('templated'),
    partitioning: {
      kind: 'projected',
      keys: { trade_date: range, ticker: { values: ['AAPL', 'BRK.B', 'a b+c', '日本🐂'] } },
      locationTemplate: `s3://${bucket}/templated/trade_date=\${trade_date}/ticker=\${ticker}/`,
    },
  }),
  batches: tradesOf(['AAPL', 'BRK.B', 'a b+c', '日本🐂']),
}
const calendar = {
  year: year('ts'),
  hour: hour('ts', { timeZone: 'America/New_York' }),
  on_list: identity('listed'),
}
const calendarColumns = { serial: t.int64(), listed: t.date(), ts: t.timestamp() }
/**
 * Hours around a change of the clocks in New York. The ranges are short because whatever plans a query lists a folder for each
 * of their combinations: years x hours x days.
 */
const hours = (name, change, start, [from, to]) => ({
  name,
  definition: catalogTable({
    table: defineTable(name, { columns: calendarColumns, partitions: calendar }).at(place(name)),
    partitioning: {
      kind: 'projected',
      keys: {
        year: { min: 2023, max: 2025 },
        hour: { from, to },
        on_list: { from: '2024-01-01', to: '2024-01-29', interval: { every: 14, unit: 'DAYS' } },
      },
    },
  }),
  batches: [
    {
      rows: Array.from({ length: 12 }, (_, at) => ({
        serial: BigInt(change * 100 + at),
        listed: ['2024-01-01', '2024-01-15', '2024-01-29'][at % 3],
        ts: new Date(start + at * 3_600_000),
      })),
    },
  ],
})
const spring = hours('hours_spring', 0, Date.UTC(2024, 2, 10, 3), ['2024-03-09-22', '2024-03-10-23'])
const autumn = hours('hours_autumn', 1, Date.UTC(2024, 10, 3, 2), ['2024-11-02-00', '2024-11-03-23'])
const shards = {
  name: 'shards',
  definition: catalogTable({
    table: defineTable('shards', {
      columns: { shard: t.int32(), padded: t.string(), open: t.boolean(), serial: t.int64() },
      partitions: { in_shard: identity('shard'), in_padded: identity('padded'), in_open: identity('open') },
    }).at(place('shards')),
    partitioning: {
      kind: 'projected',
      keys: {
        in_shard: { min: -6, max: 9, interval: 3 },
        in_padded: { min: 0, max: 12, digits: 4 },
        in_open: { values: ['true', 'false'] },
      },
    },
  }),
  batches: [
    {
      rows: Array.from({ length: 24 }, (_, at) => ({
        shard: -6 + 3 * (at % 6),
        padded: String(at % 13).padStart(4, '0'),
        open: at % 2 === 0,
        serial: BigInt(at),
      })),
    },
  ],
}

const before = {
  symbol: t.string(),
  size: t.int32(),
  ratio: t.float(),
  gone: t.string(),
  leg: t.struct({ price: t.int32() }),
}
const after = {
  symbol: t.string(),
  venue: t.string().nullable(),
  ratio: t.double(),
  size: t.int64(),
  leg: t.struct({ price: t.int64(), size: t.int32().nullable() }).nullable(),
}
const oldRow = (serial) => ({
  symbol: ['AAPL', 'IBM'][serial % 2],
  size: serial - 2_000_000_000,
  ratio: Math.fround(serial / 7),
  gone: `g${serial}`,
  leg: { price: serial },
})
const newRow = (serial) => ({
  symbol: ['IBM', 'BRK.B'][serial % 2],
  venue: serial % 3 === 0 ? null : `v${serial}`,
  ratio: serial / 7,
  size: 2n ** 40n + BigInt(serial),
  leg: serial % 5 === 0 ? null : { price: 2n ** 50n + BigInt(serial), size: serial },
})
/** Files of an older definition, those of the next one beside them: in a partition that was there, and in a new one. */
const evolved = (name, partitions, partitioning) => {
  const version = (columns) => {
    const table = defineTable(name, {
      columns,
      ...(partitions ? { partitions: { ticker: identity('symbol') } } : {}),
    })
    return catalogTable({ table: table.at(place(name)), ...(partitioning ? { partitioning } : {}) })
  }
  return {
    name,
    old: version(before),
    oldBatches: [{ rows: Array.from({ length: 60 }, (_, serial) => oldRow(serial)) }],
    asRead: (row) => ({ ...row, venue: null, leg: { ...row.leg, size: null } }),
    definition: version(after),
    batches: [{ rows: Array.from({ length: 60 }, (_, serial) => newRow(serial)) }],
  }
}
const symbols = { values: ['AAPL', 'IBM', 'BRK.B'] }

/** Tables to make, with what is written into each; `old` is the definition of before, with its own rows. */
export const marketTables = [
  codecs,
  registered,
  listed,
  injected,
  templated,
  spring,
  autumn,
  shards,
  evolved('evolved_registered', true),
  evolved('evolved_projected', true, { kind: 'projected', keys: { ticker: symbols } }),
  evolved('evolved_plain', false),
]
