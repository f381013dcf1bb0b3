import type { Catalog } from './catalog.ts'
import { invalidInput } from './catalog-errors.ts'
import type { GlueTable } from './catalog-model.ts'
import type { GlueOperations } from './glue-operations.ts'
import type { InputMembers } from './input-members.ts'
import { pagePositionOf, pageTokenOf } from './page-token.ts'
import { tableOutput } from './table-operations.ts'

const valueLimits = { min: 1, max: 1024 } as const

const comparators = {
  EQUALS: (order: number) => order === 0,
  GREATER_THAN: (order: number) => order > 0,
  LESS_THAN: (order: number) => order < 0,
  GREATER_THAN_EQUALS: (order: number) => order >= 0,
  LESS_THAN_EQUALS: (order: number) => order <= 0,
} as const

type Condition = (table: GlueTable) => boolean
type TimeKey = 'CreateTime' | 'UpdateTime'

/** SearchTables over all databases: a text, and conditions that must all hold. */
export function searchTablesOperations(catalog: Catalog): GlueOperations {
  return {
    SearchTables(input) {
      const share = input.optionalEnum('ResourceShareType', ['FOREIGN', 'ALL', 'FEDERATED'] as const)
      const conditions = [
        ...(input.optionalObjects('Filters') ?? []).map(filterCondition),
        textCondition(input.optionalString('SearchText', valueLimits)),
      ]
      const order = orderOf((input.optionalObjects('SortCriteria', { max: 1 }) ?? [])[0])
      const databases = share === undefined || share === 'ALL' ? catalog.listDatabases() : []
      const found = databases
        .flatMap((database) => catalog.listTables(database.Name))
        .filter((table) => conditions.every((holds) => holds(table)))
        .sort(order)
      const limit = input.optionalInteger('MaxResults', { min: 1, max: 1000 }) ?? 100
      const start = startOf(found, pagePositionOf(input.optionalString('NextToken'), 'InvalidInputException'))
      const page = found.slice(start, start + limit)
      const last = page.at(-1)
      const isEnd = last === undefined || start + limit >= found.length
      return {
        TableList: page.map(tableOutput),
        NextToken: isEnd ? undefined : pageTokenOf(`${start + limit} ${placeOf(last)}`),
      }
    },
  }
}

/** Beyond the table given last, wherever it is now; where it was when it is gone. */
function startOf(tables: readonly GlueTable[], position: string | undefined): number {
  if (position === undefined) return 0
  const [, start, place] = /^(\d+) (.*)$/s.exec(position) ?? []
  if (start === undefined) throw invalidInput('The NextToken is not valid.')
  const at = tables.findIndex((table) => placeOf(table) === place)
  return at === -1 ? Number(start) - 1 : at + 1
}

/** A text in quotes is a value as a whole; any other is part of one. */
function textCondition(text: string | undefined): Condition {
  if (text === undefined) return () => true
  const quoted = /^(["'])(.*)\1$/s.exec(text)?.[2]?.toLowerCase()
  const part = text.toLowerCase()
  return (table) =>
    textsOf(table).some((value) => (quoted === undefined ? value.includes(part) : value === quoted))
}

function textsOf(table: GlueTable): readonly string[] {
  const columns = [...(table.StorageDescriptor?.Columns ?? []), ...(table.PartitionKeys ?? [])]
  return [
    table.Name,
    table.DatabaseName,
    table.Description,
    table.Owner,
    table.TableType,
    table.StorageDescriptor?.Location,
    ...columns.flatMap((column) => [column.Name, column.Comment]),
    ...Object.entries(table.Parameters ?? {}).flat(),
  ].flatMap((value) => (value === undefined ? [] : [value.toLowerCase()]))
}

/** Times are compared; texts hold when one of their words, split at punctuation, is the value. */
function filterCondition(filter: InputMembers): Condition {
  const key = filter.string('Key', valueLimits)
  const value = filter.string('Value', valueLimits)
  const comparator = filter.optionalEnum(
    'Comparator',
    Object.keys(comparators) as (keyof typeof comparators)[],
  )
  const time = timeKeyOf(key)
  if (time !== undefined) {
    const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Date.parse(value) / 1000
    if (Number.isNaN(seconds)) throw invalidInput(`'${value}' is not a time to compare ${key} with.`)
    const holds = comparators[comparator ?? 'EQUALS']
    return (table) => holds(table[time] - seconds)
  }
  const wanted = value.toLowerCase()
  return (table) => {
    const text = textOf(table, key)?.toLowerCase()
    return text !== undefined && (text === wanted || text.split(/[^\p{L}\p{N}]+/u).includes(wanted))
  }
}

function orderOf(criterion: InputMembers | undefined): (left: GlueTable, right: GlueTable) => number {
  const byPlace = (left: GlueTable, right: GlueTable) => compare(placeOf(left), placeOf(right))
  if (criterion === undefined) return byPlace
  const field = criterion.string('FieldName', valueLimits)
  const sign = criterion.optionalEnum('Sort', ['ASC', 'DESC'] as const) === 'DESC' ? -1 : 1
  const time = timeKeyOf(field)
  const fieldOf = (table: GlueTable) => (time === undefined ? (textOf(table, field) ?? '') : table[time])
  return (left, right) => sign * compare(fieldOf(left), fieldOf(right)) || byPlace(left, right)
}

function timeKeyOf(key: string): TimeKey | undefined {
  return (['CreateTime', 'UpdateTime'] as const).find((time) => time.toLowerCase() === key.toLowerCase())
}

/** What a key of a filter names: a member of the table, or one of its parameters. */
function textOf(table: GlueTable, key: string): string | undefined {
  switch (key.toLowerCase()) {
    case 'name':
      return table.Name
    case 'databasename':
      return table.DatabaseName
    case 'description':
      return table.Description
    case 'owner':
      return table.Owner
    case 'tabletype':
      return table.TableType
    default:
      return table.Parameters?.[key]
  }
}

const placeOf = (table: GlueTable): string => `${table.DatabaseName}\u0000${table.Name}`

const compare = <Value extends string | number>(left: Value, right: Value): number =>
  left < right ? -1 : left > right ? 1 : 0
