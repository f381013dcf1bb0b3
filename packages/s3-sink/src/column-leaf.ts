import type { ColumnDefinition, ColumnType, ColumnVector } from '@stockpipe/core'
import { type ColumnValues, columnValues } from './column-values.ts'
import { valueOrder } from './parquet-schema.ts'
import { selectedRows } from './selected-rows.ts'
import { isNull } from './validity-buffer.ts'
import type { ValueOrder } from './value-order.ts'

/** One leaf of a table's schema: what becomes a column chunk in each row group. */
export interface ColumnLeaf {
  /** Names from the column to the leaf, those of Parquet's own groups included. */
  readonly path: readonly string[]
  readonly order: ValueOrder
  readonly maxDefinitionLevel: number
  readonly maxRepetitionLevel: number
  /** Takes the leaf's values out of a batch's column. */
  shred(vector: ColumnVector, rows: number): LeafValues
}

/** A leaf's values over the rows of a batch, as Parquet lays them out. */
export interface LeafValues {
  /** Levels: one a row, and more where a list has several elements. */
  readonly count: number
  /** null: every level is the greatest, so that every value is there. */
  readonly definitionLevels: Uint8Array | null
  /** null: every level is 0, so that each begins a row. */
  readonly repetitionLevels: Uint8Array | null
  /** Those that are there. */
  readonly values: ColumnValues
}

/** A step down to a leaf: whether what stands there may be null, and which part of it comes next. */
interface Step {
  readonly nullable: boolean
  readonly part: 'element' | 'key' | 'value' | number | undefined
}

/** The leaves of a column, in the order of the schema. */
export const leavesOf = (column: ColumnDefinition): readonly ColumnLeaf[] =>
  leavesBelow([column.name], column.type, column.nullable, [], !hardlyRepeats(column))

const leavesBelow = (
  path: readonly string[],
  type: ColumnType,
  nullable: boolean,
  above: readonly Step[],
  repeats: boolean,
): readonly ColumnLeaf[] => {
  const below = (
    names: readonly string[],
    part: Step['part'],
    inner: { type: ColumnType; nullable: boolean },
  ) => leavesBelow([...path, ...names], inner.type, inner.nullable, [...above, { nullable, part }], repeats)
  switch (type.kind) {
    case 'list':
      return below(['list', 'element'], 'element', type.element)
    case 'map':
      return [
        ...below(['key_value', 'key'], 'key', { type: type.key, nullable: false }),
        ...below(['key_value', 'value'], 'value', type.value),
      ]
    case 'struct':
      return type.fields.flatMap((field, index) => below([field.name], index, field))
    default: {
      const order = valueOrder(type)
      const facts = { order, repeats, isText: type.kind !== 'binary' }
      const steps = [...above, { nullable, part: undefined }]
      return [
        {
          path,
          order,
          maxDefinitionLevel: steps.filter((step) => step.nullable).length + steps.filter(isRepeated).length,
          maxRepetitionLevel: steps.filter(isRepeated).length,
          shred:
            above.length === 0
              ? (vector, rows) => shredColumn(vector, rows, nullable, facts)
              : (vector, rows) => shredNested(vector, rows, steps, facts),
        },
      ]
    }
  }
}

const isRepeated = ({ part }: Step): boolean => typeof part === 'string'

/** Values that hardly ever come twice: a dictionary would cost time and bytes. */
const hardlyRepeats = ({ type, metadata }: ColumnDefinition): boolean =>
  type.kind === 'timestamp' || type.kind === 'epochNanos' || metadata?.field === 'offset'

type LeafFacts = Parameters<typeof columnValues>[2]

const shredColumn = (vector: ColumnVector, rows: number, nullable: boolean, facts: LeafFacts): LeafValues => {
  const { validity } = vector
  const all = (): LeafValues => ({
    count: rows,
    definitionLevels: null,
    repetitionLevels: null,
    values: columnValues(vector, rows, facts),
  })
  if (!nullable || validity === null) return all()
  const definitionLevels = new Uint8Array(rows)
  const present = new Uint32Array(rows)
  let count = 0
  for (let row = 0; row < rows; row += 1) {
    if (isNull(validity, row)) continue
    definitionLevels[row] = 1
    present[count++] = row
  }
  if (count === rows) return all()
  const values = columnValues(selected(vector, present.subarray(0, count)), count, facts)
  return { count: rows, definitionLevels, repetitionLevels: null, values }
}

/** Places of a vector that are reached on the way down, with their levels so far. */
interface Places {
  /** Row of the vector; -1 where a null or an empty list above has ended the way. */
  readonly rows: Int32Array
  readonly definitionLevels: Uint8Array
  readonly repetitionLevels: Uint8Array
}

const shredNested = (
  column: ColumnVector,
  rows: number,
  steps: readonly Step[],
  facts: LeafFacts,
): LeafValues => {
  let places: Places = {
    rows: Int32Array.from({ length: rows }, (_, row) => row),
    definitionLevels: new Uint8Array(rows),
    repetitionLevels: new Uint8Array(rows),
  }
  let vector = column
  let repetitionLevel = 0
  for (const { nullable, part } of steps) {
    if (nullable) defineThose(places, vector)
    if (typeof part === 'string') {
      repetitionLevel += 1
      places = elementsOf(places, (vector as { readonly offsets: Int32Array }).offsets, repetitionLevel)
    }
    vector = partOf(vector, part)
  }
  const present = Uint32Array.from(places.rows.filter((row) => row >= 0))
  return {
    count: places.rows.length,
    definitionLevels: places.definitionLevels,
    repetitionLevels: repetitionLevel === 0 ? null : places.repetitionLevels,
    values: columnValues(selected(vector, present), present.length, facts),
  }
}

const partOf = (vector: ColumnVector, part: Step['part']): ColumnVector => {
  if (part === undefined) return vector
  if (typeof part === 'number') return (vector as ColumnVector & { kind: 'struct' }).fields[part]!
  return (vector as unknown as Record<string, ColumnVector>)[part]!
}

/** One definition level more where there is a value, and the end of the way where there is a null; in place. */
const defineThose = ({ rows, definitionLevels }: Places, { validity }: ColumnVector): void => {
  for (let place = 0; place < rows.length; place += 1) {
    if (rows[place]! < 0) continue
    if (isNull(validity, rows[place]!)) rows[place] = -1
    else definitionLevels[place]! += 1
  }
}

/** A place for each element; one without a row for a list that has none. */
const elementsOf = (places: Places, offsets: Int32Array, repetitionLevel: number): Places => {
  let count = 0
  for (const row of places.rows) count += row < 0 ? 1 : Math.max(1, offsets[row + 1]! - offsets[row]!)
  const rows = new Int32Array(count).fill(-1)
  const definitionLevels = new Uint8Array(count)
  const repetitionLevels = new Uint8Array(count)
  let at = 0
  for (let place = 0; place < places.rows.length; place += 1) {
    const row = places.rows[place]!
    const first = at
    if (row >= 0)
      for (let element = offsets[row]!; element < offsets[row + 1]!; element += 1) rows[at++] = element
    const isEmpty = at === first
    if (isEmpty) at += 1
    definitionLevels.fill(places.definitionLevels[place]! + (isEmpty ? 0 : 1), first, at)
    repetitionLevels[first] = places.repetitionLevels[place]!
    repetitionLevels.fill(repetitionLevel, first + 1, at)
  }
  return { rows, definitionLevels, repetitionLevels }
}

/** The rows named, none of them null. */
const selected = (vector: ColumnVector, order: Uint32Array): ColumnVector =>
  selectedRows({ ...vector, validity: null }, order)
