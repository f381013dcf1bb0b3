import type { FetchOffsets } from './raw-fetch-response.ts'

/**
 * An answer of Apache Kafka 4.3.1 to Fetch version 11: three records with headers and nulls, two compressed with gzip,
 * and one of a transaction.
 */
const payload = [
  'AAAAAAAAAAAAAAAAAAEACHJlY29yZGVkAAAAAQAAAAAAAAAAAAAAAAAHAAAAAAAAAAcAAAAAAAAAAAAAAAD/////AAABgwAAAAAA',
  'AAAAAAAAnQAAAAACrFkogwAAAAAAAgAAAZt/O5WQAAABm388p/r//////////wAAAAAAAAAAAAOKAQDgxQgACkJSSy5CRnsic3lt',
  'Ym9sIjoiQlJLLkIiLCJwcmljZSI6IjQ0NC4wNSJ9BAxzb3VyY2UMcmVwbGF5CmVtcHR5ADIA1MkIAgEieyJzeW1ib2wiOiJBQVBM',
  'In0AFAAABAhBQVBMAQAAAAAAAAAAAwAAAHUAAAAAApPG2n0AAQAAAAEAAAGbfzyq6AAAAZt/PKrp//////////8AAAAAAAAAAAAC',
  'H4sIAAAAAAAAA/NjYGDgcHQM8LGqViquzE3Kz1GyUgLxlXSUCooyk1OVrJQMlWoZ/BiYmAipM1KqZQAARpPXmFAAAAAAAAAAAAAA',
  'BQAAAE0AAAAAAusLt4AAEAAAAAAAAAGbfzyu0AAAAZt/PK7QAAAAAAAAAAEAAAAAAAAAAAABNgAAAAhNU0ZUInsic3ltYm9sIjoi',
  'TVNGVCJ9AA==',
]

/** What kafkajs and our own reading of record batches have to agree about before ours is used. */
export const recordedFetch: {
  readonly payload: Uint8Array
  readonly fetchOffsets: FetchOffsets
  readonly nextOffset: bigint
} = {
  payload: Buffer.from(payload.join(''), 'base64'),
  fetchOffsets: [{ topic: 'recorded', partitions: [{ partition: 0, fetchOffset: '0' }] }],
  nextOffset: 7n,
}
