import type { StatementType } from './query-execution.ts'

/** How Athena sorts a statement. */
export interface StatementKind {
  readonly type: StatementType
  /** Such as `SELECT` or `CREATE_TABLE`. */
  readonly substatement: string
  /** Who runs it: the SQL engine, the Hive DDL of the catalog, what Trino has around queries, or nobody here. */
  readonly runBy: 'engine' | 'hive' | 'trino' | 'nobody'
}

const kinds: readonly (readonly [RegExp, StatementType, string, StatementKind['runBy']])[] = [
  [/^(\(\s*)*(SELECT|WITH|VALUES|TABLE)\b/, 'DML', 'SELECT', 'engine'],
  [/^CREATE\s+(DATABASE|SCHEMA)\b/, 'DDL', 'CREATE_DATABASE', 'hive'],
  [/^DROP\s+(DATABASE|SCHEMA)\b/, 'DDL', 'DROP_DATABASE', 'hive'],
  [/^CREATE\s+EXTERNAL\s+TABLE\b/, 'DDL', 'CREATE_TABLE', 'hive'],
  [/^DROP\s+TABLE\b/, 'DDL', 'DROP_TABLE', 'hive'],
  [/^ALTER\s+TABLE\b/, 'DDL', 'ALTER_TABLE', 'hive'],
  [/^MSCK\s+REPAIR\s+TABLE\b/, 'DDL', 'MSCK_REPAIR_TABLE', 'hive'],
  [/^SHOW\s+(DATABASES|SCHEMAS)\b/, 'UTILITY', 'SHOW_DATABASES', 'hive'],
  [/^SHOW\s+TABLES\b/, 'UTILITY', 'SHOW_TABLES', 'hive'],
  [/^SHOW\s+PARTITIONS\b/, 'UTILITY', 'SHOW_PARTITIONS', 'hive'],
  [/^SHOW\s+COLUMNS\b/, 'UTILITY', 'SHOW_COLUMNS', 'hive'],
  [/^(DESCRIBE|DESC)\b/, 'UTILITY', 'DESCRIBE_TABLE', 'hive'],
  [/^SHOW\s+CREATE\s+TABLE\b/, 'UTILITY', 'SHOW_CREATE_TABLE', 'hive'],
  [/^SHOW\s+TBLPROPERTIES\b/, 'UTILITY', 'SHOW_TBLPROPERTIES', 'hive'],
  [/^CREATE\s+TABLE\b/, 'DDL', 'CREATE_TABLE_AS_SELECT', 'trino'],
  [/^CREATE\s+(OR\s+REPLACE\s+)?VIEW\b/, 'DDL', 'CREATE_VIEW', 'trino'],
  [/^DROP\s+VIEW\b/, 'DDL', 'DROP_VIEW', 'trino'],
  [/^SHOW\s+CREATE\s+VIEW\b/, 'UTILITY', 'SHOW_CREATE_VIEW', 'trino'],
  [/^SHOW\s+VIEWS\b/, 'UTILITY', 'SHOW_VIEWS', 'trino'],
  [/^INSERT\b/, 'DML', 'INSERT', 'trino'],
  [/^UNLOAD\b/, 'DML', 'UNLOAD', 'trino'],
  [/^EXPLAIN\b/, 'UTILITY', 'EXPLAIN', 'trino'],
  [/^PREPARE\b/, 'DDL', 'PREPARE', 'trino'],
  [/^EXECUTE\b/, 'DML', 'EXECUTE', 'trino'],
  [/^DEALLOCATE\b/, 'DDL', 'DEALLOCATE', 'trino'],
  [/^(UPDATE|DELETE|MERGE)\b/, 'DML', 'MERGE', 'nobody'],
  [/^(OPTIMIZE|VACUUM|ANALYZE)\b/, 'DDL', 'OPTIMIZE', 'nobody'],
]

/** The kind of a statement by its first words; undefined when no Athena statement begins so. */
export function statementKindOf(sql: string): StatementKind | undefined {
  const text = withoutLeadingComments(sql).slice(0, 200).toUpperCase()
  const found = kinds.find(([pattern]) => pattern.test(text))
  return found === undefined ? undefined : { type: found[1], substatement: found[2], runBy: found[3] }
}

/** The first words of a statement, to name it in a refusal. */
export function statementName(sql: string): string {
  const words = withoutLeadingComments(sql).match(/^[A-Za-z]+(\s+[A-Za-z]+){0,2}/)?.[0] ?? sql.slice(0, 20)
  return words.replace(/\s+/g, ' ').toUpperCase()
}

/** A statement without the semicolons and blanks at its end. By hand: a pattern tries each run of blanks over and over. */
export function withoutSemicolon(sql: string): string {
  let end = sql.length
  while (end > 0 && /[;\s]/.test(sql.charAt(end - 1))) end -= 1
  return sql.slice(0, end)
}

export function withoutLeadingComments(sql: string): string {
  return sql.replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '')
}
