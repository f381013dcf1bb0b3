import type { ColumnKind, ColumnType, RecordMetadata } from './column-type.ts'
import type { Decimal } from './decimal.ts'
import { ConfigurationError } from './errors.ts'

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
    this.type = Object.freeze(type)
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
  /** Refused for now. */
  list: (): never => refuse('t.list()', 'list columns are not supported yet; keep the value as t.json().'),
  /** Refused for now. */
  map: (): never => refuse('t.map()', 'map columns are not supported yet; keep the value as t.json().'),
  /** Refused for now. */
  struct: (): never =>
    refuse('t.struct()', 'struct columns are not supported yet; keep the value as t.json().'),
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
