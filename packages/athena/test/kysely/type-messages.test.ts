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

/** In place of the tables, which messages write out with their columns in any order. */
const tables = '{ trades }'
const writtenTables = /\{ readonly trades: \{ (?:\w+: \w+; )+\}; \}/g

const noOperand = (operand: string, column: string) =>
  `Argument of type '${operand}' is not assignable to parameter of type 'OperandValueExpressionOrList<${tables}, "trades", "${column}">'.`

const noProperty = (name: string) => `Property '${name}' does not exist on type 'AthenaBuilder<${tables}>'.`

const injected = `is not assignable to type '"the values of partition 'ticker' of 'trades' come from the query: name them with within(table, { ticker: [...] })"'.`

/** The last line of each message, which says it; what is before lists the overloads of Kysely. */
const expected: Readonly<Record<string, string>> = {
  'definition-without-a-place': `is not assignable to type '"'trades' is a definition without a place: pass what trades.at({ database, location }) answers"'.`,
  'double-compared-with-a-decimal': noOperand('1.5', 'price'),
  'number-compared-with-a-bigint': noOperand('5', 'size'),
  'text-compared-with-a-decimal': noOperand('"abc"', 'price'),
  'full-scan-of-an-injected-partition': injected,
  'injected-partition-without-values': injected,
  'projected-table-under-another-name': injected,
  'projected-table-without-partitions': `is not assignable to type '"the partitions of 'trades' are projected: say which are read with within(table, { ... }), or fullScan(table)"'.`,
  transaction: noProperty('transaction'),
  update: noProperty('updateTable'),
  'within-lacks-an-injected-partition': `Property 'ticker' is missing in type '{ trade_date: string; }' but required in type '{ readonly ticker: string | readonly string[]; }'.`,
  'wrong-column': `Argument of type '"prize"' is not assignable to parameter of type 'SelectExpression<${tables}, "trades">'.`,
  'wrong-table': `Argument of type '"trade"' is not assignable to parameter of type 'TableExpressionOrList<${tables}, never>'.`,
}

describe('what the compiler says of a built query', () => {
  const said = messages()

  it('is asserted for every fixture', () => {
    expect([...said.keys()].sort()).toEqual(Object.keys(expected).sort())
  })

  it.each(Object.entries(expected))('of %s is one message', (fixture, message) => {
    const last = said
      .get(fixture)
      ?.map((text) => text.split('\n').at(-1)!.trim().replace(writtenTables, tables))
    expect(last).toHaveLength(1)
    expect(last![0]!.endsWith(message), last![0]).toBe(true)
  })
})
