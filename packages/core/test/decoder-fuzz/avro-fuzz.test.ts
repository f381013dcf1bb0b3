import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AvroFraming,
  avro,
  type ColumnRecord,
  createDecoder,
  defineTable,
  defineTopic,
  type RecordBlock,
  RecordBlockBuilder,
  recordOffset,
  type TableDefinition,
  t,
} from '../../src/index.ts'
import { rowReader } from '../../src/row-reader.ts'
import { avscTypeOf, recordOf, type SchemaJson, Unfit, unframed } from './avro-reference.ts'
import { fieldPlans } from './avro-values.ts'

/** `node checks/decoder-fuzz.js` asks for more. */
const documents = Number(process.env['STOCKPIPE_FUZZ_DOCUMENTS'] ?? 2000)
const seed = process.env['STOCKPIPE_FUZZ_SEED']
const blockDocuments = 20
const confluentId = '16909060'
const glueId = '01020304-0506-0708-090a-0b0c0d0e0f10'

/** What is stricter here than in avsc, which reads on or goes round. */
const stricter =
  /more than (64|32) bits|claims -?\d+ bytes|has a block of -|nested deeper|has (symbol|union branch) -?\d+/

type Edit = readonly [place: number, removed: number, added: readonly number[]]

const edits: fc.Arbitrary<readonly Edit[]> = fc.oneof(
  { weight: 9, arbitrary: fc.constant<readonly Edit[]>([]) },
  {
    weight: 3,
    arbitrary: fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(3),
        fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 3, 127, 128, 255)), { maxLength: 3 }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  },
)

const framed = (framing: AvroFraming, value: Buffer, compress: boolean): Buffer => {
  if (framing === 'plain') return value
  if (framing === 'confluent') return Buffer.concat([Buffer.of(0, 1, 2, 3, 4), value])
  const id = Buffer.from(glueId.replaceAll('-', ''), 'hex')
  return Buffer.concat([Buffer.of(3, compress ? 5 : 0), id, compress ? deflateSync(value) : value])
}

const scenario = fc
  .record({
    plans: fc.array(fieldPlans, { minLength: 1, maxLength: 6 }),
    order: fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
    framing: fc.constantFrom<AvroFraming>('plain', 'plain', 'confluent', 'glue'),
    aliased: fc.boolean(),
  })
  .chain(({ plans, order, framing, aliased }) => {
    const fields = plans.map((plan, index) => ({ plan, column: `c${index}`, place: order[index]! }))
    fields.sort((left, right) => left.place - right.place)
    const schema: SchemaJson = {
      type: 'record',
      name: 'fuzz',
      fields: fields.map(({ plan, column }, index) => ({
        // The first goes by an alias, at times.
        name: plan.column === undefined ? `x${column}` : aliased && index === 0 ? 'other' : column,
        ...(aliased && index === 0 && plan.column ? { aliases: [column] } : {}),
        type: plan.schema,
      })),
    }
    const names = (schema as unknown as { fields: { name: string }[] }).fields.map(({ name }) => name)
    const columns = fields.flatMap(({ plan, column }) =>
      plan.column ? [[column, plan.column] as const] : [],
    )
    const table: TableDefinition = defineTable('fuzz', {
      columns: {
        ...Object.fromEntries(columns),
        absent: t.string().nullable(),
        at_offset: t.recordOffset(),
        of_key: t.recordKey(),
      } as unknown as ColumnRecord,
    })
    const timestamps = Object.fromEntries(
      fields.flatMap(({ plan, column }) => (plan.format ? [[column, plan.format] as const] : [])),
    )
    const type = avscTypeOf(schema)
    const record = fc.record(
      Object.fromEntries(fields.map(({ plan }, index) => [names[index]!, plan.values])),
    )
    const document = fc.oneof(
      {
        weight: 60,
        arbitrary: fc.tuple(record, edits, fc.boolean()).map(([value, changed, compress]) => {
          const bytes = [...framed(framing, type.toBuffer(value), compress)]
          for (const [place, removed, added] of changed)
            bytes.splice(place % (bytes.length + 1), removed, ...added)
          return Buffer.from(bytes)
        }),
      },
      { weight: 1, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)) },
    )
    return fc.record({
      schema: fc.constant(schema),
      framing: fc.constant(framing),
      table: fc.constant(table),
      timestamps: fc.constant(timestamps),
      type: fc.constant(type),
      values: fc.array(document, { minLength: blockDocuments, maxLength: blockDocuments }),
    })
  })

const blockOf = (values: readonly (Buffer | null)[]): RecordBlock => {
  const builder = new RecordBlockBuilder({ topic: 'fuzz', partition: 7, firstOffset: 4_294_967_290n })
  values.forEach((value, index) => {
    const key = index % 7 === 3 ? Buffer.of(255) : index % 2 ? Buffer.from(`k${index}`) : null
    builder.add({ offset: 4_294_967_290n + BigInt(index * 3), timestampMillis: 0, key, value })
  })
  return builder.finish()
}

describe('the Avro decoder and avsc', () => {
  it('give the same rows, and reject the same records', () => {
    let rows = 0
    let rejects = 0
    let strict = 0
    fc.assert(
      fc.property(scenario, ({ schema, framing, table, timestamps, type, values }) => {
        const text = JSON.stringify(schema)
        const value = avro<string>({
          framing,
          ...(framing === 'plain' ? { schema: text } : {}),
          timestamps: timestamps as never,
        })
        const topic = defineTopic('fuzz', { table, value })
        const block = blockOf(values)
        const decoder = createDecoder(topic, { reuseBatches: true })
        const id = framing === 'confluent' ? confluentId : glueId
        const decode = () => {
          for (const missing of decoder.schemas?.missing(block) ?? [])
            decoder.schemas!.give(missing, missing === id ? { schema: text } : null)
          return decoder.decode(block)
        }
        const first = structuredClone(decode())
        const { batch, rejected } = decode()
        // Nothing of a block is left in the arrays that are used again.
        expect({ batch, rejected }).toEqual(first)
        const given = rowReader(table.columns, batch)
        const reasons = new Map(rejected.map((record) => [record.index, record.reason]))
        let row = 0
        values.forEach((bytes, index) => {
          const offset = recordOffset(block, index)
          const reason = reasons.get(index)
          let expected: Record<string, unknown> | undefined
          try {
            const inner = bytes === null ? undefined : unframed(framing, id, bytes)
            if (inner === undefined || index % 7 === 3) throw new Unfit()
            const targets = table.columns.filter(({ metadata }) => !metadata)
            expected = recordOf(targets, schema, type.fromBuffer(inner), (name) => timestamps[name])
          } catch {
            // Not a row.
          }
          if (reason !== undefined) {
            expect(reason).not.toBe('')
            if (expected) {
              expect(reason).toMatch(stricter)
              strict += 1
            }
            rejects += 1
            return
          }
          const key = index % 2 ? `k${index}` : null
          expect(given(row)).toStrictEqual(expected && { ...expected, at_offset: offset, of_key: key })
          expect(batch.offsets[row]).toBe(offset)
          row += 1
        })
        expect(row).toBe(batch.rows)
        expect(rejected.map(({ offset, index }) => offset === recordOffset(block, index))).not.toContain(
          false,
        )
        rows += row
      }),
      { numRuns: Math.ceil(documents / blockDocuments), ...(seed ? { seed: Number(seed) } : {}) },
    )
    // The documents are of both kinds, or nothing would be shown.
    expect(rows).toBeGreaterThan(documents * 0.2)
    expect(rejects).toBeGreaterThan(documents * 0.05)
    expect(strict).toBeLessThan(documents * 0.02)
    if (process.env['STOCKPIPE_FUZZ_DOCUMENTS'])
      console.log(
        `figure: Avro: ${rows} rows and ${rejects} rejects, all equal but ${strict} that avsc takes`,
      )
  }, 3_600_000)
})
