import type { Column, ColumnKind, ColumnType, Decimal } from '@stockpipe/core'
import type { Answer, IntegerKind } from './table-column.ts'

/** What avg() answers, as Trino derives it: a decimal keeps precision and scale, whole numbers become double. */
export type AverageOf<Kind extends ColumnKind> = Kind extends 'decimal'
  ? Answer<'decimal', Decimal>
  : Kind extends 'float'
    ? Answer<'float', number>
    : Answer<'double', number>

/** What sum() answers, as Trino derives it: whole numbers become bigint, a decimal gets 38 digits. */
export type SumOf<Kind extends ColumnKind> = Kind extends 'decimal'
  ? Answer<'decimal', Decimal>
  : Kind extends IntegerKind
    ? Answer<'int64', bigint>
    : Kind extends 'float'
      ? Answer<'float', number>
      : Answer<'double', number>

/** What sum(price * size) answers: a decimal where both are exact, otherwise a double. */
export type TurnoverOf<Price extends ColumnKind, Size extends ColumnKind> = WeightedAverageOf<Price, Size>

/** What sum(price * size) / sum(size) answers: a decimal where both are exact, otherwise a double. */
export type WeightedAverageOf<
  Price extends ColumnKind,
  Size extends ColumnKind,
  Nullable extends boolean = false,
> = Price extends 'decimal'
  ? Size extends IntegerKind | 'decimal'
    ? Column<'decimal', Decimal, Decimal, Nullable, 'value'>
    : Column<'double', number, number, Nullable, 'value'>
  : Column<'double', number, number, Nullable, 'value'>

const maximumPrecision = 38

/** The decimal a whole number is taken for in arithmetic with decimals. */
const integerDigits: Partial<Record<ColumnKind, number>> = { int8: 3, int16: 5, int32: 10, int64: 19 }

export const isInteger = (type: ColumnType): boolean => integerDigits[type.kind] !== undefined

export const averageType = (type: ColumnType): ColumnType =>
  type.kind === 'decimal' || type.kind === 'float' ? type : { kind: 'double' }

export const sumType = (type: ColumnType): ColumnType =>
  type.kind === 'decimal'
    ? { ...type, precision: maximumPrecision }
    : isInteger(type)
      ? { kind: 'int64' }
      : type

type DecimalType = Extract<ColumnType, { kind: 'decimal' }>

/** The decimal a type is taken for in arithmetic; undefined for floating ones. */
export const decimalOf = (type: ColumnType): DecimalType | undefined => {
  if (type.kind === 'decimal') return type
  const precision = integerDigits[type.kind]
  return precision === undefined ? undefined : { kind: 'decimal', precision, scale: 0 }
}

/** decimal(p1,s1) * decimal(p2,s2) = decimal(min(38, p1 + p2), s1 + s2). */
export const productType = (left: DecimalType, right: DecimalType): DecimalType => ({
  kind: 'decimal',
  precision: Math.min(maximumPrecision, left.precision + right.precision),
  scale: left.scale + right.scale,
})

/** decimal(p1,s1) / decimal(p2,s2) = decimal(min(38, p1 + s2 + max(s2 - s1, 0)), max(s1, s2)). */
export const quotientType = (left: DecimalType, right: DecimalType): DecimalType => ({
  kind: 'decimal',
  precision: Math.min(maximumPrecision, left.precision + right.scale + Math.max(right.scale - left.scale, 0)),
  scale: Math.max(left.scale, right.scale),
})
