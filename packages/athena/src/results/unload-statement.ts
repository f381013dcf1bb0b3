import type { ColumnInfo } from '@aws-sdk/client-athena'
import type { BoundStatement } from '../sql-parameters.ts'
import { sqlTokens } from '../sql-tokens.ts'
import type { StatedColumn } from '../stated-column.ts'

const queryWords = new Set(['SELECT', 'WITH', 'VALUES', 'TABLE', '('])
const orderWords = new Set(['ORDER', 'LIMIT', 'OFFSET', 'FETCH'])

/** What a statement is, as far as UNLOAD asks. */
export interface QueryShape {
  /** One query and nothing else: UNLOAD takes it. */
  readonly isQuery: boolean
  /** It says in which order its rows come, or how many. */
  readonly isOrdered: boolean
  /** Where it ends: a semicolon behind it is not of it. */
  readonly end: number
}

/** Looks at a statement's own words, not those within quotes, comments or parentheses, but for such that it begins with. */
export const queryShape = (sql: string): QueryShape => {
  let depth = 0
  let first: string | undefined
  let isOrdered = false
  let end = sql.length
  let isEnded = false
  let isOne = true
  for (const { kind, text, at } of sqlTokens(sql, 'trino')) {
    if (kind === 'comment') continue
    if (isEnded) isOne = false
    const word = text.toUpperCase()
    first ??= word
    if (text === '(') depth += 1
    else if (text === ')') depth -= 1
    if (depth < 0) isOne = false
    if (depth <= (first === '(' ? 1 : 0) && orderWords.has(word)) isOrdered = true
    if (depth === 0 && text === ';') {
      isEnded = true
      end = at
    }
  }
  return { isQuery: isOne && depth === 0 && queryWords.has(first ?? ''), isOrdered, end }
}

const quoted = (name: string): string => `"${name.toLowerCase().replaceAll('"', '""')}"`

/** Arguments of one ARRAY[...] that Trino takes. */
const typesPerColumn = 100

/** The columns that an UNLOAD has beside those of the query. */
export interface HelperColumns {
  /** Of each stated timestamp: milliseconds since the epoch, which no writer of Parquet can bend. */
  readonly millis: ReadonlyMap<string, string>
  /** Each holds, a line each, the types of `typesPerColumn` stated columns. */
  readonly types: readonly string[]
}

/** A name of the field that no query has. */
const helperName = (what: string, index: number): string => `stockpipe_${what}_${index}`

export const helperColumns = (stated: readonly StatedColumn[]): HelperColumns => ({
  millis: new Map(
    stated.flatMap(({ name, type }, index) =>
      type.kind === 'timestamp' ? [[name, helperName('millis', index)] as const] : [],
    ),
  ),
  types: Array.from({ length: Math.ceil(stated.length / typesPerColumn) }, (_, index) =>
    helperName('types', index),
  ),
})

/** UNLOAD of a query to an empty place, with the helper columns. */
export const unloadStatement = (
  { queryString, executionParameters }: BoundStatement,
  stated: readonly StatedColumn[],
  location: string,
): BoundStatement => {
  const helpers = helperColumns(stated)
  const items = [
    '*',
    ...stated.flatMap(({ name }) => {
      const millis = helpers.millis.get(name)
      return millis === undefined
        ? []
        : [`date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00.000', ${quoted(name)}) AS ${millis}`]
    }),
    ...helpers.types.map((types, index) => {
      const some = stated.slice(index * typesPerColumn, (index + 1) * typesPerColumn)
      return `array_join(ARRAY[${some.map(({ name }) => `typeof(${quoted(name)})`).join(', ')}], chr(10)) AS ${types}`
    }),
  ]
  const query = queryString.slice(0, queryShape(queryString).end)
  return {
    // The line end keeps a comment at the end of the query to itself.
    queryString: `UNLOAD (SELECT ${items.join(', ')} FROM (\n${query}\n) AS answer) TO '${location.replaceAll("'", "''")}' WITH (format = 'PARQUET', compression = 'ZSTD')`,
    executionParameters,
  }
}

/** A column as GetQueryResults would describe it, by what Trino's `typeof` says of it. */
export const describedType = (name: string, type: string): ColumnInfo => {
  const [, base = type, inner = '', zone = ''] =
    /^([a-z][a-z ]*?)(?:\((.*)\))?( with time zone)?$/s.exec(type) ?? []
  const [precision = 0, scale = 0] = /^\d+(?:,\s*\d+)?$/.test(inner) ? inner.split(',').map(Number) : []
  const Type = base === 'real' ? 'float' : `${base}${zone}`
  return { Name: name, Label: name, Type, Precision: precision, Scale: scale }
}
