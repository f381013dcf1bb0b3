import { type SqlDialect, sqlTokens } from './sql-tokens.ts'

/** What decides how names and values are written in a statement. */
export interface StatementForm {
  readonly dialect: SqlDialect
  /** Athena takes execution parameters for it. */
  readonly takesParameters: boolean
}

const query: StatementForm = { dialect: 'trino', takesParameters: true }
const trino: StatementForm = { dialect: 'trino', takesParameters: false }
const hive: StatementForm = { dialect: 'hive', takesParameters: false }

const queryWords = new Set(['SELECT', 'WITH', 'VALUES', 'TABLE', '(', 'INSERT', 'UNLOAD'])
const hiveWords = new Set([
  'ALTER',
  'CREATE',
  'DESC',
  'DESCRIBE',
  'DROP',
  'MSCK',
  'REPAIR',
  'SHOW',
  'TRUNCATE',
  'USE',
])

/**
 * The form of a statement. Execution parameters are taken by SELECT, INSERT INTO, CREATE TABLE AS and UNLOAD; views,
 * prepared statements and other DML are Trino's, all other DDL is Hive's.
 */
export const statementForm = (sql: string): StatementForm => {
  const words = significantTexts(sql)
  const [first = '', second = '', third = '', fourth = ''] = words
  if (queryWords.has(first)) return query
  if (!hiveWords.has(first)) return trino
  if (first === 'CREATE' && second === 'TABLE') return isFromQuery(words) ? query : hive
  const object = second === 'OR' ? fourth : second === 'CREATE' || second === 'PROTECTED' ? third : second
  const isOfView = object === 'VIEW' || object === 'VIEWS' || second === 'PROTECTED'
  if (isOfView && first !== 'ALTER') return trino
  return first === 'DESCRIBE' && (second === 'INPUT' || second === 'OUTPUT') ? trino : hive
}

/** The words, quoted texts and symbols of a statement, words in upper case. */
const significantTexts = (sql: string): readonly string[] =>
  [...sqlTokens(sql, 'trino')]
    .filter(({ kind }) => kind !== 'comment')
    .map(({ kind, text }) => (kind === 'word' ? text.toUpperCase() : text))

/** `CREATE TABLE ... AS SELECT`, where Hive's DDL has no more than `STORED AS PARQUET`. */
const isFromQuery = (words: readonly string[]): boolean => {
  let depth = 0
  return words.some((word, index) => {
    if (word === '(') depth += 1
    else if (word === ')') depth -= 1
    return (
      depth === 0 &&
      word === 'AS' &&
      ['SELECT', 'WITH', 'VALUES', 'TABLE', '('].includes(words[index + 1] ?? '')
    )
  })
}

/** After these a `?` stands in a predicate. */
const predicates = new Set(['WHERE', 'ON', 'HAVING'])
/** With these a clause begins that is none. */
const clauses = new Set([
  'SELECT',
  'FROM',
  'JOIN',
  'INNER',
  'LEFT',
  'RIGHT',
  'FULL',
  'CROSS',
  'NATURAL',
  'USING',
  'GROUP',
  'ORDER',
  'LIMIT',
  'OFFSET',
  'FETCH',
  'UNION',
  'EXCEPT',
  'INTERSECT',
  'VALUES',
  'WINDOW',
  'WITH',
  'TABLE',
])
/** Trino takes a literal behind these and no `?`: `DATE '2024-03-08'`, `AT TIME ZONE 'UTC'`. */
const literalTypes = new Set([
  'DATE',
  'TIME',
  'TIMESTAMP',
  'INTERVAL',
  'DECIMAL',
  'CHAR',
  'VARCHAR',
  'JSON',
  'REAL',
  'DOUBLE',
  'PRECISION',
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'UUID',
  'IPADDRESS',
  'ZONE',
])

/** The paths among their arguments are literals. */
const pathFunctions = new Set(['JSON_EXISTS', 'JSON_QUERY', 'JSON_TABLE', 'JSON_VALUE'])

/**
 * Tells of each `?`, in order, whether it stands where Athena is known to take a parameter: in the predicate of a WHERE,
 * ON or HAVING.
 */
export class ParameterPlaces {
  /** The parentheses that are open, and the statement around them. */
  readonly #open = [{ isPredicate: false, isFilter: false }]
  #before = ''

  /** Takes the next token; answers whether a parameter may stand there. */
  next(kind: string, text: string): boolean {
    const inner = this.#open.at(-1)!
    const word = kind === 'word' ? text.toUpperCase() : text
    const mayStand = inner.isPredicate && !literalTypes.has(this.#before)
    if (word === '(') {
      // The WHERE of a FILTER belongs to what is selected.
      const isFilter = this.#before === 'FILTER'
      const isPredicate = inner.isPredicate && !isFilter && !pathFunctions.has(this.#before)
      this.#open.push({ isPredicate, isFilter })
    } else if (word === ')' && this.#open.length > 1) this.#open.pop()
    else if (kind === 'word' && predicates.has(word)) inner.isPredicate = !inner.isFilter
    else if (kind === 'word' && clauses.has(word)) inner.isPredicate = false
    this.#before = word
    return mayStand
  }
}
