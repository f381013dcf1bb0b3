/** How an instant stands on the wire. */
export type InstantFormat = 'iso8601' | 'epoch-seconds' | 'epoch-millis' | 'epoch-micros' | 'epoch-nanos'

/** Record values as one JSON object a record. */
export interface JsonEncoding<Name extends string = string> {
  readonly encoding: 'json'
  /** Member names that differ from the column's, or from that of a field of a struct: `legs.price`. */
  readonly names: { readonly [Column in Name]?: string }
  /**
   * Wire form of timestamp and epochNanos columns, of what lists and maps of them hold, and of fields of structs
   * (`legs.at`). Default `iso8601`, for epochNanos `epoch-nanos`.
   */
  readonly timestamps: { readonly [Column in Name]?: InstantFormat }
}

/**
 * Record values as JSON objects.
 *
 * Decimals are written as strings and read from strings or numbers, exactly; int64 as digits; binary as base64;
 * dates as `YYYY-MM-DD`; lists as arrays, maps and structs as objects. Members the table does not know are skipped.
 */
export const json = <const Name extends string = never>(
  options: {
    readonly names?: { readonly [Column in Name]?: string }
    readonly timestamps?: { readonly [Column in Name]?: InstantFormat }
  } = {},
): JsonEncoding<Name> =>
  Object.freeze({
    encoding: 'json',
    names: Object.freeze({ ...options.names }) as JsonEncoding<Name>['names'],
    timestamps: Object.freeze({ ...options.timestamps }) as JsonEncoding<Name>['timestamps'],
  })
