import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const folder = dirname(fileURLToPath(import.meta.url))
const root = join(folder, '../../../..')

/** What all programs here share; a file is parsed once. */
const parsed = new Map<string, ts.SourceFile | undefined>()

/** The type instantiations of a program of that one file, which has to be without errors. */
const instantiations = (text: string): number => {
  const config = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const file = join(folder, 'generated.ts')
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (name) => name === file || fileExists(name)
  host.readFile = (name) => (name === file ? text : readFile(name))
  host.getSourceFile = (name, ...others) => {
    if (name === file) return ts.createSourceFile(name, text, others[0], true)
    if (!parsed.has(name)) parsed.set(name, getSourceFile(name, ...others))
    return parsed.get(name)
  }
  const program = ts.createProgram([file], options, host)
  const errors = program.getSemanticDiagnostics(program.getSourceFile(file))
  expect(errors.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
  // What `tsc --extendedDiagnostics` prints.
  return (program as ts.Program & { getInstantiationCount(): number }).getInstantiationCount()
}

const kinds = [
  ['t.string()', 'string'],
  ['t.decimal(18, 4)', 'Decimal'],
  ['t.int64()', 'bigint'],
  ['t.timestamp()', 'Date'],
  ['t.double().nullable()', 'number | null'],
  ['t.date()', 'string'],
  ['t.int32()', 'number'],
  ['t.boolean()', 'boolean'],
] as const
const columns = (part: 0 | 1, separator: string) =>
  Array.from({ length: 200 }, (_, index) => `c${index}: ${kinds[index % kinds.length]![part]}`).join(
    separator,
  )

const ours = `import { type AthenaSender, createAthena } from '@stockpipe/athena'
import { withBuilder } from '@stockpipe/athena/kysely'
import { day, Decimal, defineTable, identity, t } from '@stockpipe/core'
declare const client: AthenaSender
const wide = defineTable('wide', {
  columns: { ${columns(0, ', ')} },
  partitions: { trade_date: day('c3'), ticker: identity('c0') },
}).at({ database: 'market', location: 's3://lake/wide/' })
const db = withBuilder(createAthena({ client, database: 'market' })).from(wide)
`
/** The same table for Kysely alone, its row written by hand. */
const byHand = `import type { Kysely } from 'kysely'
import { Decimal } from '@stockpipe/core'
interface Wide { ${columns(1, '; ')}; trade_date: string; ticker: string }
declare const db: Kysely<{ wide: Wide }>
`
const select = `export const query = db.selectFrom('wide').select(['c0', 'c1 as price', 'trade_date'])
export const first: Promise<Decimal> = query.executeTakeFirstOrThrow().then((row) => row.price)
`
const where = `export const narrow = query.where('c3', '>=', new Date(0)).where('c1', '>', Decimal.parse('1'))
`

test('a table of 200 columns costs the compiler less than 20,000 type instantiations', () => {
  expect(instantiations(ours + select)).toBeLessThan(20_000)
})

test('a query on it costs less than 10,000 beyond what Kysely takes for a row written by hand', () => {
  const kysely = instantiations(byHand + select + where)
  const all = instantiations(ours + select + where)
  expect(all - kysely).toBeLessThan(10_000)
})
