import fc from 'fast-check'
import { t } from '../../src/index.ts'
import type { SchemaJson } from './avro-reference.ts'

/** A field of a schema and the column it goes to, with values as `avro-reference.ts` has them in avsc. */
export interface FieldPlan {
  readonly schema: SchemaJson
  /** Undefined: no column takes the field. */
  readonly column?: { nullable(): unknown }
  /** Of an int or long without a logical type. */
  readonly format?: string
  readonly values: fc.Arbitrary<unknown>
}

const bigints = (bits: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.bigInt({ min: -200n, max: 200n }) },
    { weight: 3, arbitrary: fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          fc.constantFrom(7n, 8n, 15n, 16n, 31n, 32n, 53n, 62n),
          fc.integer({ min: -2, max: 2 }),
          fc.boolean(),
        )
        .map(([power, by, negative]) => {
          const value = 2n ** (power < bits ? power : bits - 2n) + BigInt(by)
          return BigInt.asIntN(Number(bits), negative ? -value : value)
        }),
    },
  )
const longs = bigints(64n)
/** Sometimes of more bits than ints have. */
const ints = fc.oneof({ weight: 20, arbitrary: bigints(32n) }, { weight: 1, arbitrary: longs })
const numbers = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY),
)
const floats = numbers.map(Math.fround)
const mostly = <T>(good: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 16, arbitrary: good }, { weight: 1, arbitrary: odd })
const booleans = mostly(fc.constantFrom(0, 1), fc.constantFrom(2, 255)).map((byte) => Buffer.of(byte))
const texts = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('AAPL', 'MSFT', 'BRK.B', '', '\u00e9\u20ac', '\ufeffx', 'a\u0000b'),
  },
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }) },
)
const textBytes = fc.oneof(
  { weight: 20, arbitrary: texts.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)) },
)
const bytes = fc.uint8Array({ maxLength: 20 }).map((value) => Buffer.from(value))

/** Two's complement, big-endian, in `length` bytes, or in as few as there can be and `more`. */
export const twosComplement = (value: bigint, length?: number, more = 0): Buffer => {
  let count = 1
  while (BigInt.asIntN(count * 8, value) !== value) count += 1
  const size = length ?? count + more
  const result = Buffer.alloc(size)
  for (let index = 0; index < size; index++)
    result[size - 1 - index] = Number(BigInt.asUintN(8, value >> BigInt(8 * index)))
  return result
}

let named = 0
const uniqueName = () => `named${named++}`

const fieldOf = (
  schema: SchemaJson,
  column: FieldPlan['column'],
  values: fc.Arbitrary<unknown>,
  format?: string,
): FieldPlan => ({
  schema,
  values,
  ...(column ? { column } : {}),
  ...(format ? { format } : {}),
})

const decimals: fc.Arbitrary<FieldPlan> = fc
  .record({
    column: fc.constantFrom<[number, number]>([5, 2], [18, 4], [18, 18], [19, 0], [38, 10], [38, 0]),
    precision: fc.integer({ min: 1, max: 45 }),
    scale: fc.nat(20),
    fixed: fc.option(fc.integer({ min: 1, max: 24 }), { nil: undefined }),
  })
  .map(({ column: [digits, places], precision, scale: wanted, fixed }) => {
    const most = fixed === undefined ? precision : Math.floor(Math.log10(2) * (8 * fixed - 1))
    const digitsWritten = Math.max(1, Math.min(precision, most))
    const scale = Math.min(wanted, digitsWritten)
    const logical = { logicalType: 'decimal', precision: digitsWritten, scale }
    const schema =
      fixed === undefined
        ? { type: 'bytes', ...logical }
        : { type: 'fixed', name: uniqueName(), size: fixed, ...logical }
    const limit = 10n ** BigInt(Math.max(1, Math.min(digits + scale - places, digitsWritten)))
    const fits = fc.bigInt({ min: -limit, max: limit }).map((value) => {
      const factor = 10n ** BigInt(Math.max(0, scale - places))
      return value - (value % factor)
    })
    const unscaled = fc.oneof(
      { weight: 20, arbitrary: fits },
      { weight: 1, arbitrary: longs },
      { weight: 1, arbitrary: fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }) },
    )
    const values = fc
      .tuple(unscaled, fc.constantFrom(0, 0, 0, 1, 9))
      .map(([value, more]) =>
        fixed === undefined
          ? twosComplement(value, undefined, more)
          : twosComplement(BigInt.asIntN(fixed * 8, value), fixed),
      )
    return fieldOf(
      schema,
      t.decimal(digits, places),
      fc.oneof({ weight: 30, arbitrary: values }, fixed ? values : { weight: 1, arbitrary: bytes }),
    )
  })

const perUnit = { millis: 1n, micros: 1000n, nanos: 1_000_000n } as const
const instants: fc.Arbitrary<FieldPlan> = fc
  .record({
    column: fc.constantFrom(
      () => t.timestamp(),
      () => t.timestamp().floor('millis'),
      () => t.epochNanos(),
    ),
    unit: fc.constantFrom('millis', 'micros', 'nanos'),
    prefix: fc.constantFrom('', 'local-'),
  })
  .map(({ column, unit, prefix }) => {
    const factor = perUnit[unit as keyof typeof perUnit]
    const values = fc.oneof(
      {
        weight: 20,
        arbitrary: fc.bigInt({ min: -9_000_000_000_000n, max: 9_000_000_000_000n }).map((v) => v * factor),
      },
      { weight: 1, arbitrary: fc.bigInt({ min: -(9n * 10n ** 18n), max: 9n * 10n ** 18n }) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom(-62_135_596_800_000n, 253_402_300_799_999n, 253_402_300_800_000n)
          .map((v) => BigInt.asIntN(64, v * factor)),
      },
    )
    return fieldOf({ type: 'long', logicalType: `${prefix}timestamp-${unit}` }, column(), values)
  })

const scalars: fc.Arbitrary<FieldPlan> = fc.oneof(
  fc
    .constantFrom<() => FieldPlan>(
      () => fieldOf('boolean', t.boolean(), booleans),
      () =>
        fieldOf(
          'int',
          t.int8(),
          mostly(fc.bigInt({ min: -128n, max: 127n }), fc.oneof(ints, fc.constantFrom(-129n, 128n))),
        ),
      () =>
        fieldOf(
          'int',
          t.int16(),
          mostly(
            fc.bigInt({ min: -32_768n, max: 32_767n }),
            fc.oneof(ints, fc.constantFrom(-32_769n, 32_768n)),
          ),
        ),
      () => fieldOf('int', t.int32(), ints),
      () => fieldOf({ type: 'int', logicalType: 'time-millis' }, t.int32(), ints),
      () => fieldOf('long', t.int64(), longs),
      () => fieldOf('int', t.int64(), ints),
      () => fieldOf('long', t.int64({ mode: 'number' }), mostly(bigints(53n), longs)),
      () => fieldOf('float', t.float(), floats),
      () => fieldOf('long', t.float(), longs),
      () => fieldOf('int', t.float(), ints),
      () => fieldOf('double', t.double(), numbers),
      () => fieldOf('float', t.double(), floats),
      () => fieldOf('long', t.double(), longs),
      () => fieldOf('int', t.double(), ints),
      () => fieldOf('string', t.string(), textBytes),
      () => fieldOf({ type: 'string', logicalType: 'uuid' }, t.string(), textBytes),
      () => fieldOf('bytes', t.string(), textBytes),
      () =>
        fieldOf(
          { type: 'enum', name: uniqueName(), symbols: ['XNYS', 'XNAS', 'ARCX'] },
          t.string(),
          fc.constantFrom('XNYS', 'XNAS', 'ARCX'),
        ),
      () =>
        fieldOf(
          { type: 'fixed', name: uniqueName(), size: 16, logicalType: 'uuid' },
          t.string(),
          fc.uint8Array({ minLength: 16, maxLength: 16 }).map((value) => Buffer.from(value)),
        ),
      () => fieldOf('bytes', t.binary(), bytes),
      () => fieldOf('string', t.binary(), textBytes),
      () =>
        fieldOf(
          { type: 'fixed', name: uniqueName(), size: 3 },
          t.binary(),
          fc.uint8Array({ minLength: 3, maxLength: 3 }).map((value) => Buffer.from(value)),
        ),
      () =>
        fieldOf(
          { type: 'int', logicalType: 'date' },
          t.date(),
          mostly(fc.bigInt({ min: -719_163n, max: 2_932_897n }), ints),
        ),
      () =>
        fieldOf(
          'string',
          t.json(),
          mostly(
            fc.json().map((text) => Buffer.from(text)),
            textBytes,
          ),
        ),
    )
    .map((make) => make()),
  decimals,
  instants,
)

const plainInstants: fc.Arbitrary<FieldPlan> = fc
  .tuple(
    fc.constantFrom('epoch-seconds', 'epoch-millis', 'epoch-micros', 'epoch-nanos'),
    fc.constantFrom('int', 'long', 'long'),
    fc.boolean(),
  )
  .map(([format, type, nanos]) =>
    fieldOf(type, nanos ? t.epochNanos() : t.timestamp(), type === 'int' ? ints : longs, format),
  )

/** How avsc names the schema's bytes (`avro-reference.ts`) as a branch of a union. */
const rawName = (schema: SchemaJson): string => {
  if (typeof schema === 'string') return schema === 'int' ? 'long' : schema === 'string' ? 'bytes' : schema
  const { type, name } = schema as { type: string; name?: string }
  return name ?? (type === 'map' ? 'array' : rawName(type))
}

/** In a union with null, or with the column nullable, or both. */
const nullableOrNot = (plan: FieldPlan): fc.Arbitrary<FieldPlan> =>
  fc
    .record({ union: fc.constantFrom('none', 'none', 'first', 'last', 'alone'), nullable: fc.boolean() })
    .map(({ union, nullable }): FieldPlan => {
      const column = plan.column && nullable ? { column: plan.column.nullable() as FieldPlan['column'] } : {}
      const own = { ...plan, ...column } as FieldPlan
      const raw = rawName(plan.schema)
      if (union === 'none' || raw === 'boolean') return own
      const wrapped = plan.values.map((value) => ({ [raw]: value }))
      if (union === 'alone') return { ...own, schema: [plan.schema], values: wrapped }
      return {
        ...own,
        schema: union === 'first' ? ['null', plan.schema] : [plan.schema, 'null'],
        values: fc.option(wrapped, { nil: null, freq: nullable ? 3 : 30 }),
      }
    })

const plans = (levels: number): fc.Arbitrary<FieldPlan> => {
  if (levels === 0) return scalars.chain(nullableOrNot)
  // JSON text stands in no list, map or struct.
  const inner = plans(levels - 1).filter(
    ({ column }) => (column as { type?: { kind: string } })?.type?.kind !== 'json',
  )
  const list = inner.map((element) =>
    fieldOf(
      { type: 'array', items: element.schema },
      t.list(element.column as never) as never,
      fc.array(
        element.values.map((item) => ({ item })),
        { maxLength: 4 },
      ),
    ),
  )
  const map = fc
    .tuple(
      fc.constantFrom(
        { key: t.string(), names: texts },
        { key: t.int32(), names: fc.integer().map(String) },
        { key: t.date(), names: fc.constantFrom('2024-02-29', '1999-12-31', '0001-01-01', '2023-02-28') },
      ),
      inner,
    )
    .map(([{ key, names }, value]) =>
      fieldOf(
        { type: 'map', values: value.schema },
        t.map(key as never, value.column as never) as never,
        fc.uniqueArray(fc.record({ key: names.map((name) => Buffer.from(name)), value: value.values }), {
          maxLength: 4,
          selector: (entry) => entry.key.toString(),
        }),
      ),
    )
  const struct = fc.array(inner, { minLength: 1, maxLength: 3 }).map((fields) => {
    const members = fields.map((field, index) => [`f${index}`, field] as const)
    return fieldOf(
      {
        type: 'record',
        name: uniqueName(),
        fields: [
          ...members.map(([name, { schema }]) => ({ name, type: schema })),
          { name: 'unknown', type: 'long' },
        ],
      },
      t.struct(Object.fromEntries(members.map(([name, { column }]) => [name, column])) as never) as never,
      fc.record({
        ...Object.fromEntries(members.map(([name, { values }]) => [name, values])),
        unknown: longs,
      }),
    )
  })
  return fc
    .oneof(
      { weight: 3, arbitrary: scalars },
      { weight: 1, arbitrary: list },
      { weight: 1, arbitrary: map },
      { weight: 1, arbitrary: struct },
    )
    .chain(nullableOrNot)
}

/** Fields of any type, each with a column it suits, or with none. */
export const fieldPlans: fc.Arbitrary<FieldPlan> = fc.oneof(
  { weight: 12, arbitrary: plans(2) },
  { weight: 1, arbitrary: plainInstants },
  { weight: 2, arbitrary: plans(2).map(({ schema, values }) => ({ schema, values })) },
)
