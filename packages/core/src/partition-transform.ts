import type { ColumnKind, TransformKind } from './column-type.ts'
import { ConfigurationError } from './errors.ts'

/** A partition transform as `day('ts')` makes it. */
export interface PartitionTransform<
  Kind extends TransformKind = TransformKind,
  Source extends string = string,
> {
  readonly transform: Kind
  readonly source: Source
  readonly timeZone?: string
}

export interface CalendarOptions {
  /** IANA time zone in which the calendar fields of a timestamp are read, such as `America/New_York`. Default UTC. */
  readonly timeZone?: string
}

/** Which column types each transform takes. */
export interface TransformSources {
  readonly identity: 'string' | 'int8' | 'int16' | 'int32' | 'int64' | 'date' | 'boolean'
  readonly year: 'date' | 'timestamp' | 'epochNanos'
  readonly month: 'date' | 'timestamp' | 'epochNanos'
  readonly day: 'date' | 'timestamp' | 'epochNanos'
  readonly hour: 'timestamp' | 'epochNanos'
}

/** The same at run time, for tables that come from JSON. */
export const transformSources: { readonly [Kind in TransformKind]: readonly ColumnKind[] } = {
  identity: ['string', 'int8', 'int16', 'int32', 'int64', 'date', 'boolean'],
  year: ['date', 'timestamp', 'epochNanos'],
  month: ['date', 'timestamp', 'epochNanos'],
  day: ['date', 'timestamp', 'epochNanos'],
  hour: ['timestamp', 'epochNanos'],
}

const checkTimeZone = (timeZone: string): string => {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone })
  } catch (cause) {
    throw new ConfigurationError({
      code: 'TIME_ZONE_UNKNOWN',
      message: `"${timeZone}" is not an IANA time zone; write one such as "America/New_York".`,
      cause,
    })
  }
  return timeZone
}

const calendar =
  <Kind extends TransformKind>(transform: Kind) =>
  <const Source extends string>(
    source: Source,
    options: CalendarOptions = {},
  ): PartitionTransform<Kind, Source> =>
    Object.freeze(
      options.timeZone === undefined
        ? { transform, source }
        : { transform, source, timeZone: checkTimeZone(options.timeZone) },
    )

/** Partitions by the value itself: the same text as in the column. */
export const identity = <const Source extends string>(
  source: Source,
): PartitionTransform<'identity', Source> => Object.freeze({ transform: 'identity', source })

/** Partitions by calendar year: `2024`. */
export const year = calendar('year')
/** Partitions by calendar month: `2024-03`. */
export const month = calendar('month')
/** Partitions by calendar day: `2024-03-08`. */
export const day = calendar('day')
/** Partitions by hour: `2024-03-08-14`. A local hour that occurs twice (25-hour day) is one partition. */
export const hour = calendar('hour')

const refuse = (transform: string): never => {
  throw new ConfigurationError({
    code: 'TRANSFORM_REFUSED',
    message: `${transform}() partitions are not supported yet; partition by identity() of a column that holds the value.`,
  })
}

/** Refused for now. */
export const bucket = (_source: string, _buckets: number): never => refuse('bucket')
/** Refused for now. */
export const truncate = (_source: string, _width: number): never => refuse('truncate')
