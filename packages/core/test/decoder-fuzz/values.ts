import fc from 'fast-check'
import { type Column, t } from '../../src/index.ts'

type AnyColumn = Pick<Column, 'nullable'> & Column

/** Columns of every kind. */
export const columnKinds: Readonly<Record<string, () => AnyColumn>> = {
  boolean: t.boolean,
  int8: t.int8,
  int16: t.int16,
  int32: t.int32,
  int64: t.int64,
  near: () => t.int64({ mode: 'number' }),
  float: t.float,
  double: t.double,
  small: () => t.decimal(5, 2),
  price: () => t.decimal(18, 4),
  fine: () => t.decimal(18, 18),
  wide: () => t.decimal(38, 10),
  widest: () => t.decimal(38, 0),
  string: t.string,
  binary: t.binary,
  date: t.date,
  timestamp: t.timestamp,
  cut: () => t.timestamp().floor('millis'),
  nanos: t.epochNanos,
  json: t.json,
  list: () => t.list(t.int32()),
  struct: () => t.struct({ a: t.string(), b: t.decimal(9, 2).nullable() }),
}

const digits = (most: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: most })
const sometimes = (text: fc.Arbitrary<string>, chance = 1) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: chance, arbitrary: text })
const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((texts) => texts.join(''))
const number = (whole: fc.Arbitrary<string>, fraction: fc.Arbitrary<string>) =>
  joined(sometimes(fc.constant('-')), whole, fraction)

/** Numbers as text: of all lengths, close to the limits of each type, with and without what is odd. */
export const numberText: fc.Arbitrary<string> = fc.oneof(
  fc.integer({ min: -200, max: 200 }).map(String),
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.double().map(String),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map(String),
  fc.constantFrom(
    '0',
    '-0',
    '0.0',
    '-0.00',
    '00',
    '01',
    '-01.5',
    '1.',
    '.5',
    '+1',
    '1e3',
    '1E-3',
    '10.0',
    '1.50000',
    '-',
    '',
  ),
  fc
    .tuple(
      fc.constantFrom(7n, 8n, 15n, 16n, 31n, 32n, 53n, 63n, 64n),
      fc.integer({ min: -2, max: 1 }),
      fc.boolean(),
    )
    .map(([bits, by, negative]) => `${negative ? '-' : ''}${2n ** bits + BigInt(by)}`),
  fc.integer({ min: 1, max: 40 }).map((length) => '9'.repeat(length)),
  fc.integer({ min: 0, max: 40 }).map((length) => `1${'0'.repeat(length)}`),
  number(digits(22), sometimes(joined(fc.constant('.'), digits(20)), 2)),
  number(fc.constant('0'), joined(fc.constant('.'), digits(24))),
  number(digits(6), joined(fc.constant('.'), digits(4))),
  joined(
    digits(4),
    sometimes(joined(fc.constant('.'), digits(3))),
    fc.constantFrom('e', 'E'),
    fc.constantFrom('', '+', '-'),
    digits(2),
  ),
)

const padded = (min: number, max: number, width: number) =>
  fc.integer({ min, max }).map((value) => String(value).padStart(width, '0'))

const dateText = fc.oneof(
  joined(padded(0, 9999, 4), fc.constant('-'), padded(0, 13, 2), fc.constant('-'), padded(0, 32, 2)),
  fc
    .date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') })
    .map((day) => day.toISOString().slice(0, 10)),
  fc.constantFrom(
    '2000-02-29',
    '1900-02-29',
    '2024-02-30',
    '0000-01-01',
    '0001-01-01',
    '9999-12-31',
    '10000-01-01',
    '2024-1-1',
    '20x4-01-01',
  ),
)

const instantText = joined(
  dateText,
  fc.constantFrom('T', 'T', 't', ' ', '_'),
  padded(0, 24, 2),
  fc.constant(':'),
  padded(0, 60, 2),
  sometimes(fc.constant(''), 1),
  fc.oneof(
    { weight: 4, arbitrary: joined(fc.constant(':'), padded(0, 60, 2)) },
    { weight: 1, arbitrary: fc.constant('') },
  ),
  sometimes(joined(fc.constantFrom('.', '.', ','), digits(10)), 4),
  fc.oneof(
    fc.constantFrom('Z', 'Z', 'Z', 'z', '', 'X', 'ZZ'),
    joined(fc.constantFrom('+', '-'), padded(0, 19, 2), fc.constantFrom(':', ':', ''), padded(0, 60, 2)),
  ),
)

const epochText = fc.oneof(
  fc.integer({ min: 1_500_000_000, max: 1_900_000_000 }).map(String),
  fc.integer({ min: 1_500_000_000_000, max: 1_900_000_000_000 }).map(String),
  fc.bigInt({ min: 1_500_000_000_000_000n, max: 1_900_000_000_000_000n }).map(String),
  fc.bigInt({ min: 1_500_000_000_000_000_000n, max: 1_900_000_000_000_000_000n }).map(String),
  fc.integer({ min: 1_500_000_000_000, max: 1_900_000_000_000 }).map((millis) => `${millis}000000`),
  fc.constantFrom(
    '-62135596800000',
    '-62135596800001',
    '253402300799999',
    '253402300800000',
    '253402300799.999',
    '-1',
  ),
  joined(sometimes(fc.constant('-')), digits(11), fc.constant('.'), digits(11)),
  numberText,
)

const quoted = (text: fc.Arbitrary<string>) => text.map((inner) => `"${inner}"`)
const either = (text: fc.Arbitrary<string>) => fc.oneof(text, quoted(text))
const stringText = fc.oneof(
  fc.constantFrom(
    '"AAPL"',
    '"MSFT"',
    '"BRK.B"',
    '""',
    '"\u00e9\u20ac"',
    '"\ufeffx"',
    '"\\ud83d\\ude00"',
    '"\\ud800"',
    '"a\\u0000b"',
    '"\\/"',
    '"\\x"',
    '"\\u12g4"',
    '"\t"',
    '"open',
    '"\u2028"',
  ),
  fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => JSON.stringify(text)),
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => JSON.stringify(text)),
  fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).map((text) => `"${text}"`),
)
const base64Text = fc.oneof(
  fc.uint8Array({ maxLength: 20 }).map((bytes) => `"${Buffer.from(bytes).toString('base64')}"`),
  fc.constantFrom(
    '"QQ=="',
    '"QR=="',
    '"QQ="',
    '"Q==="',
    '"===="',
    '"QUI"',
    '"QUI="',
    '"Q\\/8="',
    '"QUJD "',
    '"QUJD"',
  ),
)
const anything = fc.oneof(
  fc.constantFrom(
    'null',
    'null',
    'null',
    'true',
    'false',
    'tru',
    'nul',
    'NaN',
    '"NaN"',
    '"-Infinity"',
    '{}',
    '[]',
    '[1,]',
    '{"a":1,}',
  ),
  fc.json({ maxDepth: 3 }),
)

const suited: Readonly<Record<string, fc.Arbitrary<string>>> = {
  boolean: fc.constantFrom('true', 'false'),
  string: stringText,
  binary: base64Text,
  date: quoted(dateText),
  json: fc.oneof(fc.json(), stringText, either(numberText)),
  list: fc.array(fc.oneof(numberText, fc.constant('null'))).map((values) => `[${values}]`),
  struct: fc.tuple(stringText, either(numberText)).map(([a, b]) => `{"a":${a}, "b":${b}}`),
}

/** The text of a JSON value that mostly suits a column of that kind. */
export const valueText = (kind: string): fc.Arbitrary<string> => {
  const isInstant = kind === 'timestamp' || kind === 'cut' || kind === 'nanos'
  const fits =
    suited[kind] ?? (isInstant ? fc.oneof(either(epochText), quoted(instantText)) : either(numberText))
  return fc.oneof(
    { weight: 12, arbitrary: fits },
    { weight: 1, arbitrary: anything },
    { weight: 1, arbitrary: fc.constant('null') },
  )
}

const decimal = (whole: number, fraction: number) =>
  joined(
    sometimes(fc.constant('-')),
    whole === 0 ? fc.constant('0') : fc.bigInt({ min: 0n, max: 10n ** BigInt(whole) - 1n }).map(String),
    fraction === 0
      ? fc.constant('')
      : sometimes(
          joined(
            fc.constant('.'),
            fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: fraction }),
          ),
          6,
        ),
  )
const within = (bits: bigint) => fc.bigInt({ min: -(2n ** bits), max: 2n ** bits - 1n }).map(String)
const goodInstant = fc
  .tuple(
    fc.date({ noInvalidDate: true, min: new Date('1700-01-01'), max: new Date('2250-01-01') }),
    fc.constantFrom('Z', 'z', '', '+01:00', '-0530'),
    fc.constantFrom('T', 't', ' '),
  )
  .map(([time, offset, between]) => time.toISOString().slice(0, -1).replace('T', between) + offset)
const goodEpoch: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'epoch-seconds': joined(
    fc.integer({ min: 0, max: 1_900_000_000 }).map(String),
    sometimes(joined(fc.constant('.'), padded(0, 999, 3))),
  ),
  'epoch-millis': fc.integer({ min: -1000, max: 1_900_000_000_000 }).map(String),
  'epoch-micros': fc.integer({ min: 0, max: 1_900_000_000_000 }).map((millis) => `${millis}000`),
  'epoch-nanos': fc.integer({ min: 0, max: 1_900_000_000_000 }).map((millis) => `${millis}000000`),
}

const good: Readonly<Record<string, fc.Arbitrary<string>>> = {
  boolean: fc.constantFrom('true', 'false'),
  int8: within(7n),
  int16: within(15n),
  int32: within(31n),
  int64: either(within(63n)),
  near: fc.maxSafeInteger().map(String),
  float: fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  small: either(decimal(3, 2)),
  price: either(decimal(14, 4)),
  fine: either(decimal(0, 18)),
  wide: either(decimal(28, 10)),
  widest: either(decimal(38, 0)),
  string: fc.oneof(
    fc.constantFrom('"AAPL"', '"MSFT"'),
    fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
  ),
  binary: fc.uint8Array({ maxLength: 20 }).map((bytes) => `"${Buffer.from(bytes).toString('base64')}"`),
  date: fc
    .date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') })
    .map((day) => `"${day.toISOString().slice(0, 10)}"`),
  json: fc.json({ maxDepth: 3 }),
  list: fc.array(fc.integer()).map((values) => `[${values}]`),
  struct: fc.tuple(fc.string(), decimal(7, 2)).map(([a, b]) => `{"b":${b},"a":${JSON.stringify(a)}}`),
}

/** The text of a JSON value that suits a column of that kind. */
export const goodText = (kind: string, format: string | undefined): fc.Arbitrary<string> =>
  good[kind] ??
  (format === undefined
    ? kind === 'nanos'
      ? either(goodEpoch['epoch-nanos']!)
      : quoted(goodInstant)
    : format === 'iso8601'
      ? quoted(goodInstant)
      : either(goodEpoch[format]!))
