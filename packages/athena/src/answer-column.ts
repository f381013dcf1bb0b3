import type { EpochNanos } from '@stockpipe/core'

/** The type of a column that an answer can have and a table cannot. */
export type AnswerType = {
  readonly kind:
    | 'timestampNanos'
    | 'timestampWithTimeZone'
    | 'time'
    | 'intervalDayToSecond'
    | 'intervalYearToMonth'
    | 'uuid'
    | 'parsedJson'
    | 'text'
}

/** What a `timestamp with time zone` says: the instant, and the zone it was given in. */
export interface ZonedTimestamp {
  /** Nanoseconds since the epoch. */
  readonly epochNanos: EpochNanos
  /** `UTC`, an offset such as `+05:30`, or a name such as `America/New_York`. */
  readonly zone: string
}

declare const output: unique symbol

/** A column of an answer as `answer` makes it, beside those of `t`. Immutable. */
export class AnswerColumn<Output = unknown, Nullable extends boolean = boolean> {
  declare readonly [output]: Output
  readonly type: AnswerType
  readonly isNullable: Nullable

  /** Use `answer`. */
  constructor(type: AnswerType, isNullable: Nullable) {
    this.type = Object.freeze(type)
    this.isNullable = isNullable
    Object.freeze(this)
  }

  /** Rows may lack the value: it is null. */
  nullable(): AnswerColumn<Output, true> {
    return new AnswerColumn(this.type, true)
  }
}

/** What is read from a column of an answer. */
export type AnswerOutput<C> =
  C extends AnswerColumn<infer Output, infer Nullable>
    ? Nullable extends true
      ? Output | null
      : Output
    : never

const column = <Output>(kind: AnswerType['kind']) => new AnswerColumn<Output, false>({ kind }, false)

/** Columns that an answer can have and a table cannot, for `columns` beside those of `t`. */
export const answer = Object.freeze({
  /** A timestamp of up to nine digits after the second, where a `Date` has three: nanoseconds since the epoch, in UTC. */
  timestampNanos: () => column<EpochNanos>('timestampNanos'),
  /** The instant and the zone. A time that its zone has twice, when clocks are set back, is refused. */
  timestampWithTimeZone: () => column<ZonedTimestamp>('timestampWithTimeZone'),
  /** `HH:MM:SS` with as many digits after the second as there are, and the offset of a `time with time zone`. */
  time: () => column<string>('time'),
  /** Milliseconds. */
  intervalDayToSecond: () => column<bigint>('intervalDayToSecond'),
  /** Months. */
  intervalYearToMonth: () => column<number>('intervalYearToMonth'),
  /** In lower case, with hyphens. */
  uuid: () => column<string>('uuid'),
  /**
   * The value of JSON, of the type the caller says; it is not checked. A number that `JSON.parse` would round is
   * refused: `t.json()` keeps the text, and lists, maps and structs of `t` read `CAST(x AS JSON)` without rounding.
   */
  json: <Value = unknown>() => column<Value>('parsedJson'),
  /** Any type, as Athena writes it. */
  text: () => column<string>('text'),
})
