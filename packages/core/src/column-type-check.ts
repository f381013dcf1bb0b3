import type { ColumnKind, ColumnType, MapKeyKind } from './column-type.ts'

/** Glue folds names to lower case and Athena takes letters, digits and underscores. */
export const namePattern = /^[a-z_][a-z0-9_]{0,254}$/

/** Lists, maps and structs within each other. */
const maximumDepth = 16

/** Where a type cannot be and why; `path` is empty for the type itself. */
export interface ColumnTypeProblem {
  readonly path: string
  readonly reason: string
}

const mapKeyKinds: { readonly [Kind in MapKeyKind]: true } = {
  string: true,
  int8: true,
  int16: true,
  int32: true,
  int64: true,
  date: true,
}

const kinds: { readonly [Kind in ColumnKind]: true } = {
  ...mapKeyKinds,
  boolean: true,
  float: true,
  double: true,
  decimal: true,
  binary: true,
  timestamp: true,
  epochNanos: true,
  json: true,
  list: true,
  map: true,
  struct: true,
}

/** What is wrong with a type that may come from JSON; the path goes through struct fields, as `legs.price`. */
export const columnTypeProblem = (type: ColumnType, path = '', depth = 0): ColumnTypeProblem | undefined => {
  const problem = (reason: string): ColumnTypeProblem => ({ path, reason })
  if (!Object.hasOwn(kinds, type?.kind))
    return problem(`has a type this package does not know: ${type?.kind}`)
  if (type.kind === 'json' && depth > 0) {
    return problem(
      'cannot be JSON text: within a list, map or struct its null is not told from a missing value; declare its fields, or keep the whole column as t.json()',
    )
  }
  if (type.kind !== 'list' && type.kind !== 'map' && type.kind !== 'struct') return undefined
  if (depth === maximumDepth) return problem(`is nested deeper than ${maximumDepth} levels`)
  const within = (inner: ColumnType, at: string) => columnTypeProblem(inner, at, depth + 1)
  switch (type.kind) {
    case 'list':
      return within(type.element?.type, path)
    case 'map':
      if (!Object.hasOwn(mapKeyKinds, type.key?.kind)) {
        return problem(
          `has ${type.key?.kind} keys; a key of a map is a string, a whole number or a date, whose equal values have one text`,
        )
      }
      return within(type.value?.type, path)
    case 'struct': {
      if (!Array.isArray(type.fields) || type.fields.length === 0) {
        return problem(
          'is a struct without fields, which Parquet and Athena cannot keep; give it at least one',
        )
      }
      const names = new Set<string>()
      for (const field of type.fields) {
        const at = path === '' ? field.name : `${path}.${field.name}`
        if (!namePattern.test(field.name)) {
          return {
            path: at,
            reason:
              'must be named with lower-case letters, digits and underscores, beginning with a letter, as Glue keeps it',
          }
        }
        if (names.has(field.name)) return { path: at, reason: 'is the name of two fields' }
        names.add(field.name)
        const found = within(field.type, at)
        if (found) return found
      }
      return undefined
    }
  }
}
