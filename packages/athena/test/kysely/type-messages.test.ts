import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const folder = join(dirname(fileURLToPath(import.meta.url)), '../fixtures/type-errors')
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

/** The tables as messages write them. */
const tables =
  '{ readonly trades: { symbol: string; price: Decimal; size: bigint; ts: Date; trade_date: string; ticker: string; }; }'

const noOperand = (operand: string, column: string) =>
  `Argument of type '${operand}' is not assignable to parameter of type 'OperandValueExpressionOrList<${tables}, "trades", "${column}">'.`

const noProperty = (name: string) => `Property '${name}' does not exist on type 'AthenaBuilder<${tables}>'.`

/** The last line of each message, which says it; what is before lists the overloads of Kysely. */
const expected: Readonly<Record<string, string>> = {
  'number-compared-with-a-bigint': noOperand('5', 'size'),
  'text-compared-with-a-decimal': noOperand('"abc"', 'price'),
  transaction: noProperty('transaction'),
  update: noProperty('updateTable'),
  'wrong-column': `    Argument of type '"prize"' is not assignable to parameter of type 'SelectExpression<${tables}, "trades">'.`,
  'wrong-table': `Argument of type '"trade"' is not assignable to parameter of type 'TableExpressionOrList<${tables}, never>'.`,
}

describe('what the compiler says of a built query', () => {
  const said = messages()

  it('is asserted for every fixture', () => {
    expect([...said.keys()].sort()).toEqual(Object.keys(expected).sort())
  })

  it.each(Object.entries(expected))('of %s is one message', (fixture, message) => {
    expect(said.get(fixture)?.map((text) => text.split('\n').at(-1))).toEqual([message])
  })
})
