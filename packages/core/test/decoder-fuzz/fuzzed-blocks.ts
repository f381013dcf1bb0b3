import fc from 'fast-check'
import { expect } from 'vitest'
import {
  type Decoder,
  type InstantFormat,
  type RecordBlock,
  RecordBlockBuilder,
  type TableDefinition,
  t,
} from '../../src/index.ts'
import { columnKinds } from './values.ts'

/** Documents a decoder; `node checks/decoder-fuzz.js` asks for more. */
const documents = Number(process.env['STOCKPIPE_FUZZ_DOCUMENTS'] ?? 2000)
const seed = process.env['STOCKPIPE_FUZZ_SEED']
const blockDocuments = 20

/** A column of the kinds in `columnKinds`. */
export interface FuzzedColumn {
  readonly kind: string
  readonly nullable: boolean
  readonly format: InstantFormat | undefined
}

const formats: readonly InstantFormat[] = [
  'iso8601',
  'epoch-seconds',
  'epoch-millis',
  'epoch-micros',
  'epoch-nanos',
]

export const fuzzedColumn = {
  kind: fc.constantFrom(...Object.keys(columnKinds)),
  nullable: fc.boolean(),
  format: fc.option(fc.constantFrom(...formats), { nil: undefined }),
}

/** Columns `c0`, `c1` and so on, and every fact of a record. */
export const columnsOf = (shapes: readonly FuzzedColumn[]) => ({
  ...Object.fromEntries(
    shapes.map(({ kind, nullable }, index) => {
      const column = columnKinds[kind]!()
      return [`c${index}`, nullable ? column.nullable() : column]
    }),
  ),
  at_offset: t.recordOffset(),
  of_partition: t.recordPartition(),
  at_time: t.recordTimestamp(),
  of_key: t.recordKey(),
  of_trace: t.recordHeader('trace'),
})

/** The wire forms of those that are instants. */
export const timestampsOf = (shapes: readonly FuzzedColumn[]): Record<string, InstantFormat> =>
  Object.fromEntries(
    shapes.flatMap(({ kind, format }, index) =>
      format && ['timestamp', 'cut', 'nanos'].includes(kind) ? [[`c${index}`, format] as const] : [],
    ),
  )

type Edit = readonly [place: number, removed: number, added: readonly number[]]

/** What a document suffers, now and then. @param likely bytes that mean something to the decoder */
export const editsOf = (likely: string): fc.Arbitrary<readonly Edit[]> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<readonly Edit[]>([]) },
    {
      weight: 2,
      arbitrary: fc.array(
        fc.tuple(
          fc.nat(),
          fc.nat(3),
          fc.array(fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from(likely))), { maxLength: 3 }),
        ),
        { minLength: 1, maxLength: 3 },
      ),
    },
  )

export const edited = (text: string, edits: readonly Edit[]): Uint8Array => {
  const bytes = [...Buffer.from(text)]
  for (const [place, removed, added] of edits) bytes.splice(place % (bytes.length + 1), removed, ...added)
  return Uint8Array.from(bytes)
}

const keyBytes = fc.option(
  fc.oneof(
    fc.string({ maxLength: 6 }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 3 }),
  ),
)

const recordTimes = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: -1, max: 2e9 }) },
    { weight: 1, arbitrary: fc.constantFrom(1.7e18, -6.3e13, 253402300799999, 253402300800000) },
  ),
  { minLength: 1, maxLength: 5 },
)

/** A block of records with such values. */
export const blockOf = (value: fc.Arbitrary<Uint8Array | null>): fc.Arbitrary<RecordBlock> =>
  fc
    .record({
      values: fc.array(value, { minLength: blockDocuments, maxLength: blockDocuments }),
      keys: fc.array(keyBytes, { minLength: 1, maxLength: 4 }),
      times: recordTimes,
    })
    .map(({ values, keys, times }) => {
      const builder = new RecordBlockBuilder({ topic: 'fuzz', partition: 7, firstOffset: 4_294_967_290n })
      values.forEach((bytes, index) => {
        const key = keys[index % keys.length]!
        builder.add({
          offset: 4_294_967_290n + BigInt(index * 3),
          timestampMillis: times[index % times.length]!,
          key,
          value: bytes,
          headers: key && key.length > 2 ? { trace: [Buffer.from('first'), key] } : undefined,
        })
      })
      return builder.finish()
    })

/** Decodes blocks by a decoder and its reference: the same rows, rejects and reasons, and enough of both. */
export const expectEqualDecoding = <Encoding>(
  name: string,
  scenario: fc.Arbitrary<{ table: TableDefinition; value: Encoding; block: RecordBlock }>,
  decoderOf: (table: TableDefinition, value: Encoding) => Decoder,
  referenceOf: (table: TableDefinition, value: Encoding) => Decoder,
): void => {
  let rows = 0
  let rejects = 0
  fc.assert(
    fc.property(scenario, ({ table, value, block }) => {
      const expected = referenceOf(table, value).decode(block)
      const decoder = decoderOf(table, value)
      expect(decoder.decode(block)).toStrictEqual(expected)
      // What it has learned, and nothing else, is kept.
      expect(decoder.decode(block)).toStrictEqual(expected)
      rows += expected.batch.rows
      rejects += expected.rejected.length
    }),
    { numRuns: Math.ceil(documents / blockDocuments), ...(seed ? { seed: Number(seed) } : {}) },
  )
  // The documents are of both kinds, or nothing would be shown.
  expect(rows).toBeGreaterThan(documents * 0.05)
  expect(rejects).toBeGreaterThan(documents * 0.05)
  if (process.env['STOCKPIPE_FUZZ_DOCUMENTS'])
    console.log(`figure: ${name}: ${rows} rows and ${rejects} rejects, all equal`)
}
