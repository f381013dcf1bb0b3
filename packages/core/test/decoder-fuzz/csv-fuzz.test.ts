import fc from 'fast-check'
import { describe, it } from 'vitest'
import { createCsvDecoder } from '../../src/csv-decoder.ts'
import type { CsvEncoding } from '../../src/csv-encoding.ts'
import { createReferenceCsvDecoder } from '../../src/csv-reference.ts'
import { csv, defineTable, defineTopic, type TableDefinition } from '../../src/index.ts'
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

/** The text of a cell that means what a JSON value does. */
const cellText = (kind: string, json: string): string => {
  if (['json', 'list', 'struct'].includes(kind) || !json.startsWith('"')) return json
  try {
    return String(JSON.parse(json)).toWellFormed()
  } catch {
    return json
  }
}

const separators = fc.constantFrom<readonly [delimiter: string, quote: string]>(
  [',', '"'],
  [',', '"'],
  [';', '"'],
  ['\t', "'"],
  ['|', '"'],
  ['\u0001', '\u0002'],
  ['"', ','],
)

interface Shape extends FuzzedColumn {
  /** Whether a line has a cell of it; a column that has none is nullable. */
  readonly written: boolean
}

const shapes: fc.Arbitrary<readonly Shape[]> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .array(
        fc
          .record({
            ...fuzzedColumn,
            written: fc.oneof(
              { weight: 9, arbitrary: fc.constant(true) },
              { weight: 1, arbitrary: fc.boolean() },
            ),
          })
          .map((shape) => ({ ...shape, nullable: shape.nullable || !shape.written })),
        { minLength: 1, maxLength: 8 },
      )
      .map(([first, ...others]) => [{ ...first!, written: true }, ...others]),
  },
  // Tables that a header line could be a row of.
  {
    weight: 1,
    arbitrary: fc.array(
      fc.record({ ...fuzzedColumn, kind: fc.constant('string'), written: fc.constant(true) }),
      { minLength: 1, maxLength: 3 },
    ),
  },
)

const definition = shapes.chain((given) => {
  const written = given.flatMap(({ written }, index) => (written ? [`c${index}`] : []))
  return fc
    .record({
      between: separators,
      nullText: fc.oneof(
        { weight: 3, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: fc.constantFrom('\\N', 'null', 'NaN', '0', 'c0', 'é') },
      ),
      listed: fc.option(
        fc
          .tuple(
            fc.shuffledSubarray(written, { minLength: written.length }),
            fc.array(fc.nat(written.length), { maxLength: 2 }),
          )
          .map(([names, skipped]) => {
            const columns: (string | null)[] = [...names]
            for (const place of skipped) columns.splice(place, 0, null)
            return columns
          }),
      ),
    })
    .map(({ between, nullText, listed }) => {
      const [delimiter, quote] = between
      const table = defineTable('fuzz', { columns: columnsOf(given) }) as TableDefinition
      const value = csv<string, string>({
        delimiter,
        quote,
        nullText,
        ...(listed || written.length < given.length ? { columns: listed ?? written } : {}),
        timestamps: timestampsOf(given),
      })
      defineTopic('fuzz', { table, value })
      const cells = value.columns ?? written
      return {
        table,
        value,
        cells,
        shapes: cells.map((name) => (name ? given[Number(name.slice(1))] : undefined)),
      }
    })
})

/** How a cell is written: with quotes where they are needed, always, or never. */
const manner = fc.oneof(
  { weight: 8, arbitrary: fc.constant('needed' as const) },
  { weight: 3, arbitrary: fc.constant('quoted' as const) },
  { weight: 1, arbitrary: fc.constant('bare' as const) },
)

const written = (
  { delimiter, quote, nullText }: CsvEncoding,
  text: string,
  how: 'needed' | 'quoted' | 'bare',
) => {
  const plain = how === 'bare' || ![delimiter, quote, '\r', '\n'].some((special) => text.includes(special))
  return plain && how !== 'quoted' && text !== nullText
    ? text
    : quote + text.replaceAll(quote, quote + quote) + quote
}

const maybe = (rare: fc.Arbitrary<boolean>, weight = 25) =>
  fc.oneof({ weight, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: rare })

const cell = (shape: FuzzedColumn | undefined, good: boolean) =>
  fc.record({
    text: shape
      ? (good ? goodText(shape.kind, shape.format) : valueText(shape.kind)).map((json) =>
          cellText(shape.kind, json),
        )
      : fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
    how: manner,
    isNull: maybe(fc.constant(true), shape?.nullable ? 6 : 40),
  })

const lineOf = ({
  value,
  cells,
  shapes,
}: {
  value: CsvEncoding
  cells: readonly (string | null)[]
  shapes: readonly (FuzzedColumn | undefined)[]
}): fc.Arbitrary<Uint8Array | null> =>
  fc.oneof(
    {
      weight: 60,
      arbitrary: fc
        .record({
          cells: fc.oneof(
            { weight: 3, arbitrary: fc.tuple(...shapes.map((shape) => cell(shape, true))) },
            { weight: 1, arbitrary: fc.tuple(...shapes.map((shape) => cell(shape, false))) },
          ),
          header: maybe(fc.boolean()),
          fewer: maybe(fc.boolean()),
          more: maybe(fc.boolean()),
          around: fc.oneof(
            { weight: 8, arbitrary: fc.constantFrom(['', ''], ['', '\n'], ['', '\r\n']) },
            { weight: 1, arbitrary: fc.constantFrom(['', '\r'], ['', '\n\n'], ['\ufeff', ''], [' ', ' ']) },
          ),
          edits: editsOf(
            `${value.delimiter}${value.quote}${value.quote}0123456789-.eE+tfn \r\n\u0000\u0001\ufeff`,
          ),
        })
        .map(({ cells: given, header, fewer, more, around, edits }) => {
          const texts = header
            ? cells.map((name) => name ?? 'other')
            : given.map(({ text, how, isNull }) => (isNull ? value.nullText : written(value, text, how)))
          if (fewer) texts.pop()
          if (more) texts.push('1')
          return edited(around[0] + texts.join(value.delimiter) + around[1], edits)
        }),
    },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }) },
  )

const scenario = definition.chain((defined) =>
  blockOf(lineOf(defined)).map((block) => ({
    table: defined.table,
    value: defined.value as CsvEncoding,
    block,
  })),
)

describe('the CSV decoder and its reference', () => {
  it(
    'give the same rows, rejects and reasons',
    () => expectEqualDecoding('CSV', scenario, createCsvDecoder, createReferenceCsvDecoder),
    3_600_000,
  )
})
