import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const folder = join(dirname(fileURLToPath(import.meta.url)), 'fixtures/type-errors')
const root = join(folder, '../../../../..')

/** What the compiler says of each fixture: one message a fixture, chains joined by line breaks. */
const messages = (): Map<string, string[]> => {
  const config = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const files = readdirSync(folder).map((name) => join(folder, name))
  // As a user's own project compiles them: strict, without the flags `strict` leaves out.
  const program = ts.createProgram(files, { ...options, exactOptionalPropertyTypes: false })
  return new Map(
    files.map((file) => [
      basename(file, '.ts'),
      program
        .getSemanticDiagnostics(program.getSourceFile(file))
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    ]),
  )
}

const partitionRefused = (transform: string, column: string, sentence: string) =>
  `Type 'PartitionTransform<"${transform}", "${column}">' is not assignable to type '"${sentence}"'.`

const expected: Readonly<Record<string, string>> = {
  'day-on-a-decimal': partitionRefused(
    'day',
    'price',
    "cannot partition by 'price': decimal columns do not support day()",
  ),
  'partition-by-unknown-column': partitionRefused(
    'identity',
    'smybol',
    "cannot partition by 'smybol': the table has no such column",
  ),
  'partition-named-like-a-column': partitionRefused(
    'identity',
    'symbol',
    "a partition cannot be named 'symbol': a column has that name, and Glue and Athena refuse the repeat",
  ),
  'row-with-a-missing-field':
    "Property 'size' is missing in type '{ symbol: string; price: string; }' but required in type '{ symbol: string; price: string | Decimal; size: number | bigint; }'.",
  'number-for-a-decimal': "Type 'number' is not assignable to type 'string | Decimal'.",
  'unknown-column-in-a-row':
    "Object literal may only specify known properties, and 'venue' does not exist in type '{ symbol: string; price: string | Decimal; }'.",
  'list-of-a-fact': `Argument of type 'Fact<"int64", bigint, false>' is not assignable to parameter of type '"a fact of the record cannot stand within a list, map or struct: give it a column of its own"'.`,
  'struct-with-json-text': `Type 'Value<"json", string, string>' is not assignable to type '"JSON text cannot stand within a list, map or struct: declare its fields, or keep the whole value as t.json()"'.`,
  'map-with-decimal-keys': `Argument of type 'Value<"decimal", string | Decimal, Decimal>' is not assignable to parameter of type '"a key of a map cannot be a decimal: use t.string(), a whole number or t.date()"'.`,
  'partition-by-a-list': partitionRefused(
    'identity',
    'tags',
    "cannot partition by 'tags': list columns do not support identity()",
  ),
  'key-of-a-list': `Type '"tags"' is not assignable to type '"the record key cannot be 'tags': a list has no text of its own"'.`,
  'unknown-key-column': `Type '"smybol"' is not assignable to type '"the record key cannot be 'smybol': the table has no such column, or it is a fact of the record"'.`,
}

describe('what the compiler says', () => {
  const said = messages()

  it('is asserted for every fixture', () => {
    expect([...said.keys()].sort()).toEqual(Object.keys(expected).sort())
  })

  it.each(Object.entries(expected))('of %s is one sentence', (fixture, message) => {
    expect(said.get(fixture)).toEqual([message])
  })
})
