import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  defineTable,
  defineTopic,
  type InstantFormat,
  json,
  type RecordBlock,
  RecordBlockBuilder,
  type TableDefinition,
  t,
} from '../../src/index.ts'
import { createJsonDecoder } from '../../src/json-decoder.ts'
import { createReferenceJsonDecoder } from '../../src/json-reference.ts'
import { columnKinds, goodText, valueText } from './values.ts'

/** `node checks/decoder-fuzz.js` asks for more. */
const documents = Number(process.env['STOCKPIPE_FUZZ_DOCUMENTS'] ?? 2000)
const seed = process.env['STOCKPIPE_FUZZ_SEED']
const blockDocuments = 20
const formats: readonly InstantFormat[] = [
  'iso8601',
  'epoch-seconds',
  'epoch-millis',
  'epoch-micros',
  'epoch-nanos',
]

interface Shape {
  readonly kind: string
  readonly nullable: boolean
  readonly format: InstantFormat | undefined
  readonly member: string
}

const shape: fc.Arbitrary<Shape> = fc.record({
  kind: fc.constantFrom(...Object.keys(columnKinds)),
  nullable: fc.boolean(),
  format: fc.option(fc.constantFrom(...formats), { nil: undefined }),
  member: fc.oneof(
    { weight: 6, arbitrary: fc.stringMatching(/^[a-z_]{1,12}$/) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', 'a"b', 'a\\b', '\u00e9', '\ud800', '\ufffd', 'x', 'tab\t', '__proto__'),
    },
  ),
})

const definitionOf = (shapes: readonly Shape[]) => {
  const columns = Object.fromEntries(
    shapes.map(({ kind, nullable }, index) => {
      const column = columnKinds[kind]!()
      return [`c${index}`, nullable ? column.nullable() : column]
    }),
  )
  const instants = shapes.flatMap(({ kind, format }, index) =>
    format && ['timestamp', 'cut', 'nanos'].includes(kind) ? [[`c${index}`, format] as const] : [],
  )
  const facts = {
    at_offset: t.recordOffset(),
    of_partition: t.recordPartition(),
    at_time: t.recordTimestamp(),
    of_key: t.recordKey(),
    of_trace: t.recordHeader('trace'),
  }
  const value = json<string>({
    names: Object.fromEntries(shapes.map(({ member }, index) => [`c${index}`, member])),
    timestamps: Object.fromEntries(instants),
  })
  const { table } = defineTopic('fuzz', {
    table: defineTable('fuzz', { columns: { ...columns, ...facts } }) as TableDefinition,
    value,
  })
  return { table, value }
}

/** How a producer writes: order of members, spaces, members the table does not know. */
interface Style {
  readonly order: readonly number[]
  readonly comma: string
  readonly colon: string
  readonly unknown: readonly (readonly [place: number, name: string, value: string])[]
}

const styleOf = (count: number): fc.Arbitrary<Style> =>
  fc.record({
    order: fc.oneof(
      fc.constant(Array.from({ length: count }, (_, index) => index)),
      fc.shuffledSubarray(
        Array.from({ length: count }, (_, index) => index),
        { minLength: count },
      ),
    ),
    comma: fc.constantFrom(',', ',', ', ', ' ,\n'),
    colon: fc.constantFrom(':', ':', ': ', ' : '),
    unknown: fc.array(fc.tuple(fc.nat(count), fc.string({ maxLength: 8 }), fc.json({ maxDepth: 2 })), {
      maxLength: 2,
    }),
  })

type Edit = readonly [place: number, removed: number, added: readonly number[]]

const edits: fc.Arbitrary<readonly Edit[]> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<readonly Edit[]>([]) },
  {
    weight: 2,
    arbitrary: fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(3),
        fc.array(
          fc.oneof(
            fc.nat(255),
            fc.constantFrom(...Buffer.from('{}[]":,\\u0123456789-.eE+tfn \n\u0001\ufeff')),
          ),
          { maxLength: 3 },
        ),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  },
)

const documentOf = (shapes: readonly Shape[], style: Style): fc.Arbitrary<Uint8Array | null> =>
  fc.oneof(
    {
      weight: 60,
      arbitrary: fc
        .record({
          values: fc.oneof(
            { weight: 3, arbitrary: fc.tuple(...shapes.map(({ kind, format }) => goodText(kind, format))) },
            { weight: 1, arbitrary: fc.tuple(...shapes.map(({ kind }) => valueText(kind))) },
          ),
          dropped: fc.oneof(
            { weight: 5, arbitrary: fc.constant<readonly number[]>([]) },
            { weight: 1, arbitrary: fc.array(fc.nat(shapes.length)) },
          ),
          repeated: fc.oneof(
            { weight: 12, arbitrary: fc.constant(-1) },
            { weight: 1, arbitrary: fc.nat(shapes.length - 1) },
          ),
          escaped: fc.oneof(
            { weight: 12, arbitrary: fc.constant(-1) },
            { weight: 1, arbitrary: fc.nat(shapes.length - 1) },
          ),
          around: fc.constantFrom(
            ['', ''],
            ['', ''],
            ['', ''],
            [' ', '\n'],
            ['\ufeff', ''],
            ['', 'x'],
            ['', '}'],
          ),
          edits,
        })
        .map(({ values, dropped, repeated, escaped, around, edits }) => {
          const nameOf = (index: number) => {
            const text = JSON.stringify(shapes[index]!.member)
            return index === escaped && /^"[a-z_]/.test(text)
              ? `"\\u00${text.charCodeAt(1).toString(16).padStart(2, '0')}${text.slice(2)}`
              : text
          }
          const members = style.order
            .filter((index) => !dropped.includes(index))
            .map((index) => nameOf(index) + style.colon + values[index])
          if (repeated >= 0) members.push(nameOf(repeated) + style.colon + values[repeated])
          for (const [place, name, value] of style.unknown)
            members.splice(place, 0, JSON.stringify(name) + style.colon + value)
          const bytes = [...Buffer.from(`${around[0]}{${members.join(style.comma)}}${around[1]}`)]
          for (const [place, removed, added] of edits)
            bytes.splice(place % (bytes.length + 1), removed, ...added)
          return Uint8Array.from(bytes)
        }),
    },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }) },
    { weight: 1, arbitrary: fc.json().map((text) => Uint8Array.from(Buffer.from(text))) },
  )

const keyBytes = fc.option(
  fc.oneof(
    fc.string({ maxLength: 6 }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 3 }),
  ),
)

const blockOf = (
  values: readonly (Uint8Array | null)[],
  keys: readonly (Uint8Array | null)[],
  times: readonly number[],
): RecordBlock => {
  const builder = new RecordBlockBuilder({ topic: 'fuzz', partition: 7, firstOffset: 4_294_967_290n })
  values.forEach((value, index) => {
    const key = keys[index % keys.length]!
    builder.add({
      offset: 4_294_967_290n + BigInt(index * 3),
      timestampMillis: times[index % times.length]!,
      key,
      value,
      headers: key && key.length > 2 ? { trace: [Buffer.from('first'), key] } : undefined,
    })
  })
  return builder.finish()
}

const scenario = fc
  .array(shape, { minLength: 1, maxLength: 8 })
  .map((shapes) =>
    shapes.filter(({ member }, index) => shapes.findIndex((other) => other.member === member) === index),
  )
  .chain((shapes) =>
    styleOf(shapes.length).chain((style) =>
      fc.record({
        shapes: fc.constant(shapes),
        values: fc.array(documentOf(shapes, style), { minLength: blockDocuments, maxLength: blockDocuments }),
        keys: fc.array(keyBytes, { minLength: 1, maxLength: 4 }),
        times: fc.array(
          fc.oneof(
            { weight: 6, arbitrary: fc.integer({ min: -1, max: 2e9 }) },
            { weight: 1, arbitrary: fc.constantFrom(1.7e18, -6.3e13, 253402300799999, 253402300800000) },
          ),
          { minLength: 1, maxLength: 5 },
        ),
      }),
    ),
  )

describe('the JSON decoder and its reference', () => {
  it.each([
    ['with generated code', true],
    ['without eval', false],
  ])(
    'give the same rows, rejects and reasons %s',
    (_, generateCode) => {
      let rows = 0
      let rejects = 0
      fc.assert(
        fc.property(scenario, ({ shapes, values, keys, times }) => {
          const { table, value } = definitionOf(shapes)
          const block = blockOf(values, keys, times)
          const expected = createReferenceJsonDecoder(table, value).decode(block)
          const decoder = createJsonDecoder(table, value, { generateCode, learnAfter: 2 })
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
      if (process.env['STOCKPIPE_FUZZ_DOCUMENTS']) {
        console.log(
          `figure: JSON ${generateCode ? 'generated' : 'without eval'}: ${rows} rows and ${rejects} rejects, all equal`,
        )
      }
    },
    3_600_000,
  )
})
