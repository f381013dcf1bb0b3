import type { PartitionKeyReference } from './partition-pruning.ts'
import { failure, notSupported } from './query-failure.ts'
import { dereference } from './row-rules.ts'
import type { Identifier, Position } from './syntax-tree.ts'
import { type TrinoType, typeText } from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

/** A column of a relation. */
export interface Field {
  /** As answers show it; undefined for an unnamed expression. */
  readonly name?: string | undefined
  /** Lower-cased names it may be qualified with: `[table]`, `[database, table]`, ...; empty for USING columns. */
  readonly qualifier: readonly string[]
  readonly type: TrinoType
  readonly sql: string
  /** Found by name, but not part of `*`. */
  readonly hidden?: boolean
  /** Called when the column is used: a scan reads only such columns. */
  readonly use?: () => void
  readonly partitionKey?: PartitionKeyReference | undefined
}

/** The columns of an analysed query, in order. */
export interface QueryOutput {
  readonly sql: string
  readonly columns: readonly OutputColumn[]
}

/** A column of an analysed query. */
export interface OutputColumn {
  readonly name: string | undefined
  readonly type: TrinoType
  /** The partition key it is, where a condition on it may prune the key's scan. */
  readonly partitionKey?: PartitionKeyReference | undefined
}

export type NamedQueries = ReadonlyMap<
  string,
  { readonly sqlName: string; readonly columnsForReader: () => readonly OutputColumn[] }
>

/** True of names that Trino does not tell apart. */
export function isSameName(a: Identifier, b: Identifier): boolean {
  return a.value.toLowerCase() === b.value.toLowerCase()
}

/** The columns and named queries that an expression sees. */
export class Scope {
  readonly fields: readonly Field[]
  readonly parent: Scope | undefined
  readonly namedQueries: NamedQueries

  constructor(fields: readonly Field[], namedQueries: NamedQueries, parent?: Scope) {
    this.fields = fields
    this.namedQueries = namedQueries
    this.parent = parent
  }

  /** The column of this scope that a name means; undefined where there is none. */
  find(parts: readonly Identifier[]): Field | undefined {
    const names = parts.map((part) => part.value.toLowerCase())
    const name = names.at(-1)!
    const qualifier = names.slice(0, -1)
    const matches = this.fields.filter(
      (field) =>
        field.name?.toLowerCase() === name &&
        qualifier.length <= field.qualifier.length &&
        qualifier.every((part, i) => part === field.qualifier[field.qualifier.length - qualifier.length + i]),
    )
    if (matches.length > 1)
      throw failure('AMBIGUOUS_NAME', `Column '${names.join('.')}' is ambiguous`, parts[0]!.position)
    return matches[0]
  }

  /** The column that a name means, or that its beginning does, with the fields of rows that follow. */
  locate(parts: readonly Identifier[]): { field: Field; fields: readonly Identifier[] } | undefined {
    for (let length = parts.length; length > 0; length--) {
      const field = this.find(parts.slice(0, length))
      if (field !== undefined) return { field, fields: parts.slice(length) }
    }
    return undefined
  }

  /** The column of this scope, or the field of one, that a name means; undefined where there is none. */
  own(parts: readonly Identifier[], position: Position): TypedExpression | undefined {
    const located = this.locate(parts)
    return located?.fields.reduce(
      (row, name) => dereference(row, name, position),
      useField(located.field, position),
    )
  }

  /** The column here or in a query around this one. */
  resolve(parts: readonly Identifier[], position: Position): TypedExpression {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const found = scope.own(parts, position)
      if (found !== undefined) return found
    }
    throw failure(
      'COLUMN_NOT_FOUND',
      `Column '${parts.map((part) => part.value).join('.')}' cannot be resolved`,
      position,
    )
  }
}

export function useField(field: Field, position: Position): TypedExpression {
  if (field.type.kind === 'unsupported') {
    throw notSupported(`the column '${field.name}' of type ${typeText(field.type)}`, position)
  }
  field.use?.()
  return { type: field.type, sql: field.sql }
}
