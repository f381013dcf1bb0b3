import type {
  ColumnKind,
  ColumnType,
  MapKeyKind,
  MapKeyType,
  NestedValue,
  RecordMetadata,
} from './column-type.ts'
import { columnTypeProblem } from './column-type-check.ts'
import type { Decimal } from './decimal.ts'
import { deepFreeze } from './deep-freeze.ts'
import { ConfigurationError } from './errors.ts'
import type { ColumnRecord, InputOf, RowOf } from './infer.ts'

declare const input: unique symbol
declare const output: unique symbol
declare const columnKind: unique symbol
declare const columnOrigin: unique symbol

/** Nanoseconds since the epoch. */
export type EpochNanos = bigint & { readonly __unit?: 'epochNanos' }

/** Where a column's value comes from: the record's value, or a fact of the record that no producer passes. */
export type ColumnOrigin = 'value' | 'record'

/**
 * A column as `t` makes it. Immutable: every step returns a new one.
 *
 * @typeParam Input what a producer may pass
 * @typeParam Output what is decoded
 */
export class Column<
  Kind extends ColumnKind = ColumnKind,
  Input = unknown,
  Output = unknown,
  Nullable extends boolean = boolean,
  Origin extends ColumnOrigin = ColumnOrigin,
> {
  declare readonly [input]: Input
  declare readonly [output]: Output
  declare readonly [columnKind]: Kind
  declare readonly [columnOrigin]: Origin
  readonly type: ColumnType
  readonly isNullable: Nullable
  readonly metadata: RecordMetadata | undefined

  constructor(type: ColumnType, isNullable: Nullable, metadata: RecordMetadata | undefined = undefined) {
    this.type = deepFreeze(type)
    this.isNullable = isNullable
    this.metadata = metadata && Object.freeze(metadata)
    Object.freeze(this)
  }

  /** Rows may lack the value: it is null when read, and its key may be left out when written. */
  nullable(): Column<Kind, Input, Output, true, Origin> {
    return new Column(this.type, true, this.metadata)
  }
}

/** A timestamp column; finer values than milliseconds are rejected unless `floor('millis')` is said. */
export class TimestampColumn<Nullable extends boolean = false> extends Column<
  'timestamp',
  Date | bigint,
  Date,
  Nullable,
  'value'
> {
  /** Cuts finer values down to the millisecond instead of rejecting the row. */
  floor(_unit: 'millis'): TimestampColumn<Nullable> {
    return new TimestampColumn({ kind: 'timestamp', floor: 'millis' }, this.isNullable)
  }

  override nullable(): TimestampColumn<true> {
    return new TimestampColumn(this.type, true)
  }
}

type Value<Kind extends ColumnKind, Input, Output> = Column<Kind, Input, Output, false, 'value'>
type Fact<Kind extends ColumnKind, Output, Nullable extends boolean> = Column<
  Kind,
  never,
  Output,
  Nullable,
  'record'
>

const refuse = (what: string, reason: string): never => {
  throw new ConfigurationError({ code: 'COLUMN_TYPE_REFUSED', message: `${what}: ${reason}` })
}

/** A column as given, or the sentence that says why it cannot stand within another. */
type Nestable<C> =
  C extends Column<infer Kind, unknown, unknown, boolean, infer Origin>
    ? [Origin] extends ['record']
      ? 'a fact of the record cannot stand within a list, map or struct: give it a column of its own'
      : [Kind] extends ['json']
        ? 'JSON text cannot stand within a list, map or struct: declare its fields, or keep the whole value as t.json()'
        : C
    : never

/** The same for a key of a map. */
type MapKey<C> =
  C extends Column<infer Kind, unknown, unknown, infer Nullable, infer Origin>
    ? [Kind] extends [MapKeyKind]
      ? [Nullable] extends [true]
        ? 'a key of a map cannot be nullable'
        : [Origin] extends ['record']
          ? Nestable<C>
          : C
      : `a key of a map cannot be a ${Kind}: use t.string(), a whole number or t.date()`
    : never

type NestableFields<Fields extends ColumnRecord> = { readonly [Name in keyof Fields]: Nestable<Fields[Name]> }

/** What may be passed where nothing can be left out: in a list, and as a value of a map. */
type ElementInput<C> = Exclude<ColumnInput<C>, undefined>

/** What may be passed for a map: for one with string keys an object as well. */
type MapInput<K, V> =
  | ReadonlyMap<ColumnInput<K>, ElementInput<V>>
  | (K extends Column<'string'> ? Readonly<Record<string, ElementInput<V>>> : never)

const nested = <Kind extends 'list' | 'map' | 'struct', Input, Output>(
  type: ColumnType & { readonly kind: Kind },
): Value<Kind, Input, Output> => {
  const problem = columnTypeProblem(type)
  if (problem)
    refuse(`t.${type.kind}()`, `${problem.path === '' ? '' : `'${problem.path}' `}${problem.reason}.`)
  return new Column(type, false)
}

/** Facts of the record are refused here for callers without types; a type does not tell them apart. */
const within = (what: string, column: Column): NestedValue => {
  if (column.metadata) {
    refuse(
      what,
      'a fact of the record (offset, partition, timestamp, key, header) cannot stand within it; give it a column of its own.',
    )
  }
  return { type: column.type, nullable: column.isNullable }
}

function list<C extends Column>(
  element: C extends Nestable<C> ? C : Nestable<C>,
): Value<'list', readonly ElementInput<C>[], ColumnOutput<C>[]> {
  return nested({ kind: 'list', element: within('t.list()', element as Column) })
}

function map<K extends Column, V extends Column>(
  key: K extends MapKey<K> ? K : MapKey<K>,
  value: V extends Nestable<V> ? V : Nestable<V>,
): Value<'map', MapInput<K, V>, Map<ColumnOutput<K>, ColumnOutput<V>>> {
  const { type, nullable } = within('t.map()', key as Column)
  if (nullable) refuse('t.map()', 'a key of a map is never null; leave out .nullable().')
  return nested({ kind: 'map', key: type as MapKeyType, value: within('t.map()', value as Column) })
}

function struct<const Fields extends ColumnRecord>(
  fields: Fields extends NestableFields<Fields> ? Fields : NestableFields<Fields>,
): Value<'struct', InputOf<Fields>, RowOf<Fields>> {
  return nested({
    kind: 'struct',
    fields: Object.entries<Column>(fields).map(([name, field]) => ({ name, ...within('t.struct()', field) })),
  })
}

function int64(): Value<'int64', bigint | number, bigint>
function int64(options: { mode: 'number' }): Value<'int64', bigint | number, number>
function int64(options?: { mode: 'number' }) {
  const type = options ? { kind: 'int64' as const, mode: options.mode } : { kind: 'int64' as const }
  return new Column(type, false)
}

/** Column types of a table. */
export const t = Object.freeze({
  boolean: (): Value<'boolean', boolean, boolean> => new Column({ kind: 'boolean' }, false),
  /** -128 to 127. */
  int8: (): Value<'int8', number, number> => new Column({ kind: 'int8' }, false),
  /** -32,768 to 32,767. */
  int16: (): Value<'int16', number, number> => new Column({ kind: 'int16' }, false),
  int32: (): Value<'int32', number, number> => new Column({ kind: 'int32' }, false),
  /** A `bigint` when read; with `{ mode: 'number' }` a number, and integers beyond 2^53 - 1 are rejected. */
  int64,
  float: (): Value<'float', number, number> => new Column({ kind: 'float' }, false),
  double: (): Value<'double', number, number> => new Column({ kind: 'double' }, false),
  /** @param precision digits in all, 1 to 38
   *  @param scale digits after the point, 0 to `precision` */
  decimal: (precision: number, scale: number): Value<'decimal', string | Decimal, Decimal> => {
    const whole = Number.isInteger(precision) && Number.isInteger(scale)
    if (!whole || precision < 1 || precision > 38 || scale < 0 || scale > precision) {
      refuse(
        `t.decimal(${precision}, ${scale})`,
        'precision is 1 to 38 and scale 0 to precision (Athena and Parquet know no other decimals).',
      )
    }
    return new Column({ kind: 'decimal', precision, scale }, false)
  },
  string: (): Value<'string', string, string> => new Column({ kind: 'string' }, false),
  binary: (): Value<'binary', Uint8Array, Uint8Array> => new Column({ kind: 'binary' }, false),
  /** `'YYYY-MM-DD'`. */
  date: (): Value<'date', string, string> => new Column({ kind: 'date' }, false),
  /** Milliseconds, as Athena's timestamp(3); a `Date`. A bigint passed in is milliseconds since the epoch. */
  timestamp: (): TimestampColumn => new TimestampColumn({ kind: 'timestamp' }, false),
  /** Nanoseconds since the epoch; int64 in Parquet and Glue. */
  epochNanos: (): Value<'epochNanos', bigint, EpochNanos> => new Column({ kind: 'epochNanos' }, false),
  /** Any JSON value, kept as text; a string in Glue. Producers pass the text of a JSON value. */
  json: (): Value<'json', string, string> => new Column({ kind: 'json' }, false),
  /** Offset of the Kafka record. */
  recordOffset: (): Fact<'int64', bigint, false> => new Column({ kind: 'int64' }, false, { field: 'offset' }),
  /** Partition of the Kafka record. */
  recordPartition: (): Fact<'int32', number, false> =>
    new Column({ kind: 'int32' }, false, { field: 'partition' }),
  /** Timestamp of the Kafka record. */
  recordTimestamp: (): Fact<'timestamp', Date, false> =>
    new Column({ kind: 'timestamp' }, false, { field: 'timestamp' }),
  /** Key of the Kafka record as text; null when it has none. */
  recordKey: (): Fact<'string', string, true> => new Column({ kind: 'string' }, true, { field: 'key' }),
  /** The last header of that name as text; null when the record has none. */
  recordHeader: (name: string): Fact<'string', string, true> =>
    new Column({ kind: 'string' }, true, { field: 'header', header: name }),
  /** Refused. */
  uint32: (): never =>
    refuse(
      't.uint32()',
      'Athena reads unsigned 32-bit columns as negative numbers without a word; use t.int64().',
    ),
  /** Refused. */
  uint64: (): never =>
    refuse('t.uint64()', 'Athena reads unsigned 64-bit columns as negative numbers; use t.decimal(20, 0).'),
  /**
   * Values of one type in order: an array. Nullable elements may be null.
   *
   * @param element any column but t.json() and facts of the record
   */
  list,
  /**
   * Values by key: a `Map` when read; a `Map`, or with string keys an object, when written. As JSON an object.
   *
   * @param key string, int8 to int64 or date; never null
   * @param value any column but t.json() and facts of the record
   */
  map,
  /**
   * Named fields: an object. Nullable fields may be left out. As JSON an object, whose unknown members are skipped.
   *
   * @param fields at least one; names are lower-case, as Glue keeps them
   */
  struct,
})

/** What a producer may pass for a column. */
export type ColumnInput<C> =
  C extends Column<ColumnKind, infer Input, unknown, infer Nullable, ColumnOrigin>
    ? Nullable extends true
      ? Input | null | undefined
      : Input
    : never

/** What a column decodes to. */
export type ColumnOutput<C> =
  C extends Column<ColumnKind, unknown, infer Output, infer Nullable, ColumnOrigin>
    ? Nullable extends true
      ? Output | null
      : Output
    : never
