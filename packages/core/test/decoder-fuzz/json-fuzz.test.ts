import fc from 'fast-check'
import { describe, it } from 'vitest'
import { defineTable, defineTopic, json, type TableDefinition } from '../../src/index.ts'
import { createJsonDecoder } from '../../src/json-decoder.ts'
import { createReferenceJsonDecoder } from '../../src/json-reference.ts'
import {
  blockOf,
  columnsOf,
  edited,
  editsOf,
  expectEqualDecoding,
  type FuzzedColumn,
  fuzzedColumn,
  timestampsOf,
} from './fuzzed-blocks.ts'
import { goodText, valueText } from './values.ts'

interface Shape extends FuzzedColumn {
  readonly member: string
}

const shape: fc.Arbitrary<Shape> = fc.record({
  ...fuzzedColumn,
  member: fc.oneof(
    { weight: 6, arbitrary: fc.stringMatching(/^[a-z_]{1,12}$/) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', 'a"b', 'a\\b', '\u00e9', '\ud800', '\ufffd', 'x', 'tab\t', '__proto__'),
    },
  ),
})

const definitionOf = (shapes: readonly Shape[]) => {
  const table = defineTable('fuzz', { columns: columnsOf(shapes) }) as TableDefinition
  const value = json<string>({
    names: Object.fromEntries(shapes.map(({ member }, index) => [`c${index}`, member])),
    timestamps: timestampsOf(shapes),
  })
  defineTopic('fuzz', { table, value })
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
          edits: editsOf('{}[]":,\\u0123456789-.eE+tfn \n\u0001\ufeff'),
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
          return edited(`${around[0]}{${members.join(style.comma)}}${around[1]}`, edits)
        }),
    },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }) },
    { weight: 1, arbitrary: fc.json().map((text) => Uint8Array.from(Buffer.from(text))) },
  )

const scenario = fc
  .array(shape, { minLength: 1, maxLength: 8 })
  .map((shapes) =>
    shapes.filter(({ member }, index) => shapes.findIndex((other) => other.member === member) === index),
  )
  .chain((shapes) =>
    styleOf(shapes.length).chain((style) =>
      blockOf(documentOf(shapes, style)).map((block) => ({ ...definitionOf(shapes), block })),
    ),
  )

describe('the JSON decoder and its reference', () => {
  it.each([
    ['with generated code', true],
    ['without eval', false],
  ])(
    'give the same rows, rejects and reasons %s',
    (way, generateCode) =>
      expectEqualDecoding(
        `JSON ${way}`,
        scenario,
        (table, value) => createJsonDecoder(table, value, { generateCode, learnAfter: 2 }),
        createReferenceJsonDecoder,
      ),
    3_600_000,
  )
})
