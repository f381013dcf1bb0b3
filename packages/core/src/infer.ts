import type { Column, ColumnInput, ColumnOrigin, ColumnOutput } from './column.ts'
import type { ColumnKind, NestedKind } from './column-type.ts'
import type { Decimal } from './decimal.ts'
import type { PartitionTransform, TransformSources } from './partition-transform.ts'

/** Columns by name, as `defineTable` takes them. */
export type ColumnRecord = Readonly<
  Record<string, Column<ColumnKind, unknown, unknown, boolean, ColumnOrigin>>
>

/** Partitions by name, as `defineTable` takes them. */
export type PartitionRecord = Readonly<Record<string, PartitionTransform>>

/** Shows an intersection as one object in editors and messages. */
export type Simplify<T> = { [Key in keyof T]: T[Key] } & {}

type KindOf<C> = C extends Column<infer Kind, unknown, unknown, boolean, ColumnOrigin> ? Kind : never
type RecordColumn = Column<ColumnKind, never, unknown, boolean, 'record'>

type PassedNames<Columns extends ColumnRecord> = {
  [Name in keyof Columns]: Columns[Name] extends RecordColumn
    ? Columns[Name] extends Column<ColumnKind, never, unknown, boolean, infer Origin>
      ? Origin extends 'record'
        ? never
        : Name
      : Name
    : Name
}[keyof Columns]

type OptionalNames<Columns extends ColumnRecord> = {
  [Name in PassedNames<Columns>]: Columns[Name]['isNullable'] extends true ? Name : never
}[PassedNames<Columns>]

/** What a producer may pass, for a record of columns. */
export type InputOf<Columns extends ColumnRecord> = Simplify<
  { [Name in Exclude<PassedNames<Columns>, OptionalNames<Columns>>]: ColumnInput<Columns[Name]> } & {
    [Name in OptionalNames<Columns>]?: ColumnInput<Columns[Name]>
  }
>

/** What is decoded, for a record of columns. */
export type RowOf<Columns extends ColumnRecord> = Simplify<{
  -readonly [Name in keyof Columns]: ColumnOutput<Columns[Name]>
}>

/** Partition values: strings, as the catalog keeps them; null for the default partition. */
export type PartitionOf<Columns extends ColumnRecord, Partitions extends PartitionRecord> = Simplify<{
  -readonly [Name in keyof Partitions]: Partitions[Name]['source'] extends keyof Columns
    ? Columns[Partitions[Name]['source']]['isNullable'] extends true
      ? string | null
      : string
    : string
}>

type Listed<Name> = Name extends string ? `'${Name}'` : never

/** A partition as given, or the sentence that says why it cannot be. */
export type CheckedPartition<
  Columns extends ColumnRecord,
  Partition extends PartitionTransform,
  Name,
> = Name extends keyof Columns
  ? `a partition cannot be named ${Listed<Name>}: a column has that name, and Glue and Athena refuse the repeat`
  : Partition extends PartitionTransform<infer Kind, infer Source>
    ? Source extends keyof Columns
      ? KindOf<Columns[Source]> extends TransformSources[Kind]
        ? Partition
        : `cannot partition by '${Source}': ${KindOf<Columns[Source]>} columns do not support ${Kind}()`
      : `cannot partition by '${Source}': the table has no such column`
    : never

/** Partitions as given, with a sentence in place of each that cannot be. */
export type CheckedPartitions<Columns extends ColumnRecord, Partitions extends PartitionRecord> = {
  readonly [Name in keyof Partitions]: CheckedPartition<Columns, Partitions[Name], Name>
}

/** The column whose text is the record key, or the sentence that says why it cannot be. */
export type KeyColumn<Columns extends ColumnRecord, Key extends string> = Key extends keyof InputOf<Columns>
  ? [KindOf<Columns[Key]>] extends [NestedKind | 'binary']
    ? `the record key cannot be '${Key}': a ${KindOf<Columns[Key]>} has no text of its own`
    : Key
  : `the record key cannot be '${Key}': the table has no such column, or it is a fact of the record`

/** The row as far as a producer passes it. */
type PassedRow<Columns extends ColumnRecord> = Pick<RowOf<Columns>, PassedNames<Columns>>

/**
 * What an encoding may name: columns, and fields of structs as `legs.price`, whether `legs` is a struct or a list or map
 * of them.
 */
export type MemberPath<Columns extends ColumnRecord> = RowPath<PassedRow<Columns>>

type RowPath<Row> = {
  [Name in keyof Row & string]: Name | `${Name}.${FieldPath<NonNullable<Row[Name]>>}`
}[keyof Row & string]

type FieldPath<Value> =
  Value extends ReadonlyMap<unknown, infer Inner>
    ? FieldPath<NonNullable<Inner>>
    : Value extends readonly (infer Element)[]
      ? FieldPath<NonNullable<Element>>
      : Value extends string | number | bigint | boolean | Date | Decimal | Uint8Array
        ? never
        : Value extends object
          ? RowPath<Value>
          : never
