import fc from 'fast-check'
import {
  type Column,
  type ColumnRecord,
  Decimal,
  defineTable,
  type TableDefinition,
  t,
} from '../src/index.ts'

/** A column and the values it decodes to, null where it may be. */
export interface ColumnWithValues {
  readonly column: Column
  readonly values: fc.Arbitrary<unknown>
}

const unscaled = (digits: bigint) => fc.bigInt({ min: 1n - 10n ** digits, max: 10n ** digits - 1n })
const instants = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
const dates = instants.map((date) => date.toISOString().slice(0, 10))
const int64s = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const texts = fc.string({ unit: 'grapheme', maxLength: 6 })

const keys: readonly ColumnWithValues[] = [
  { column: t.string(), values: texts },
  { column: t.int8(), values: fc.integer({ min: -128, max: 127 }) },
  { column: t.int16(), values: fc.integer({ min: -32_768, max: 32_767 }) },
  { column: t.int32(), values: fc.integer() },
  { column: t.int64(), values: int64s },
  { column: t.date(), values: dates },
]

const scalars: readonly ColumnWithValues[] = [
  ...keys,
  { column: t.boolean(), values: fc.boolean() },
  { column: t.float(), values: fc.float() },
  { column: t.double(), values: fc.double() },
  { column: t.decimal(9, 2), values: unscaled(9n).map((value) => Decimal.of(value, 2)) },
  { column: t.decimal(38, 10), values: unscaled(38n).map((value) => Decimal.of(value, 10)) },
  { column: t.binary(), values: fc.uint8Array({ maxLength: 6 }) },
  { column: t.timestamp(), values: instants },
  { column: t.epochNanos(), values: int64s },
]

const nullableOrNot = (given: fc.Arbitrary<ColumnWithValues>): fc.Arbitrary<ColumnWithValues> =>
  fc
    .tuple(given, fc.boolean())
    .map(([{ column, values }, nullable]) =>
      nullable
        ? { column: column.nullable(), values: fc.option(values, { nil: null, freq: 3 }) }
        : { column, values },
    )

/** Columns of any type with up to so many lists, maps and structs within each other. */
const columns = (levels: number): fc.Arbitrary<ColumnWithValues> => {
  const scalar = fc.constantFrom(...scalars)
  if (levels === 0) return nullableOrNot(scalar)
  const inner = columns(levels - 1)
  const list = inner.map(({ column, values }) => ({
    column: t.list(column as never),
    values: fc.array(values, { maxLength: 4 }),
  }))
  const map = fc.tuple(fc.constantFrom(...keys), inner).map(([key, value]) => ({
    column: t.map(key.column as never, value.column as never),
    values: fc
      .uniqueArray(fc.tuple(key.values, value.values), { maxLength: 4, selector: ([name]) => name })
      .map((entries) => new Map(entries)),
  }))
  const struct = fc.array(inner, { minLength: 1, maxLength: 3 }).map((fields) => {
    const named = fields.map((field, index) => [`f${index}`, field] as const)
    return {
      column: t.struct(Object.fromEntries(named.map(([name, { column }]) => [name, column])) as never),
      values: fc.record(Object.fromEntries(named.map(([name, { values }]) => [name, values]))),
    }
  })
  return nullableOrNot(fc.oneof(scalar, list, map, struct))
}

/** Tables of one to three columns of any types, each with rows as they are decoded. */
export const nestedTables: fc.Arbitrary<{
  readonly table: TableDefinition
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}> = fc.array(columns(3), { minLength: 1, maxLength: 3 }).chain((made) => {
  const named = made.map((column, index) => [`c${index}`, column] as const)
  const table: TableDefinition = defineTable('nested', {
    columns: Object.fromEntries(named.map(([name, { column }]) => [name, column])) as ColumnRecord,
  })
  const row = fc.record(Object.fromEntries(named.map(([name, { values }]) => [name, values])))
  return fc.array(row, { minLength: 1, maxLength: 12 }).map((rows) => ({ table, rows }))
})
