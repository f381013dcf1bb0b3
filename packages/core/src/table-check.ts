import { columnTypeProblem, namePattern } from './column-type-check.ts'
import { ConfigurationError } from './errors.ts'
import { transformSources } from './partition-transform.ts'
import type { TableJSON } from './table.ts'

const refuse = (code: string, message: string): never => {
  throw new ConfigurationError({ code, message })
}

/** Throws a `ConfigurationError` for a definition that Glue, Athena or the key layout would refuse. */
export const checkDefinition = (json: TableJSON): void => {
  const where = `Table "${json.name}"`
  const checkName = (what: string, name: string) => {
    if (!namePattern.test(name)) {
      refuse(
        'NAME_INVALID',
        `${where}: ${what} "${name}" must begin with a letter and hold only lower-case letters, digits and underscores, as Glue keeps it.`,
      )
    }
  }
  checkName('table name', json.name)
  if (json.columns.length === 0) refuse('TABLE_EMPTY', `${where} has no columns; give it at least one.`)
  const names = new Set<string>()
  for (const column of json.columns) {
    checkName('column', column.name)
    if (names.has(column.name)) refuse('NAME_REPEATED', `${where} has two columns named "${column.name}".`)
    names.add(column.name)
    const problem = columnTypeProblem(column.type)
    if (problem) {
      const place = problem.path === '' ? column.name : `${column.name}.${problem.path}`
      refuse('COLUMN_TYPE_REFUSED', `${where}: '${place}' ${problem.reason}.`)
    }
  }
  for (const partition of json.partitions) {
    checkName('partition', partition.name)
    if (names.has(partition.name)) {
      refuse(
        'NAME_REPEATED',
        `${where}: a partition cannot be named "${partition.name}": a column or partition has that name, and Glue and Athena refuse the repeat.`,
      )
    }
    names.add(partition.name)
    const source = json.columns.find((column) => column.name === partition.source)
    if (!source) {
      throw new ConfigurationError({
        code: 'COLUMN_UNKNOWN',
        message: `${where}: cannot partition by '${partition.source}': the table has no such column.`,
      })
    }
    if (!(transformSources[partition.transform] ?? []).includes(source.type.kind)) {
      refuse(
        'TRANSFORM_UNSUITED',
        `${where}: cannot partition by '${partition.source}': ${source.type.kind} columns do not support ${partition.transform}().`,
      )
    }
  }
}
