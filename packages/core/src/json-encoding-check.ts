import { innermostType, typeAtPath, visitStructs } from './column-path.ts'
import { ConfigurationError } from './errors.ts'
import type { JsonEncoding } from './json-encoding.ts'
import type { TableDefinition } from './table.ts'

/** The names and timestamps of an encoding, frozen. Throws a `ConfigurationError` where the table has no such value. */
export const checkNames = (
  topic: string,
  table: TableDefinition,
  { names, timestamps }: Pick<JsonEncoding, 'names' | 'timestamps'>,
): Pick<JsonEncoding, 'names' | 'timestamps'> => {
  for (const name of Object.keys(names)) typeAtPath(table, name)
  for (const name of Object.keys(timestamps)) {
    const { kind } = innermostType(typeAtPath(table, name))
    if (kind !== 'timestamp' && kind !== 'epochNanos') {
      throw new ConfigurationError({
        code: 'TIMESTAMP_FORMAT_UNSUITED',
        message: `Topic ${topic}: '${name}' is a ${kind} column and takes no timestamp format.`,
      })
    }
  }
  return { names: ownMembers(names), timestamps: ownMembers(timestamps) }
}

/** Without what every object inherits, since a column may be called `constructor`. */
const ownMembers = <Members extends object>(members: Members): Members =>
  Object.freeze(Object.assign(Object.create(null), members))

/** A JSON encoding as a topic keeps it. Throws a `ConfigurationError` when it does not suit the table. */
export const checkJsonEncoding = (
  topic: string,
  table: TableDefinition,
  value: JsonEncoding,
): JsonEncoding => {
  const { names, timestamps } = checkNames(topic, table, value)
  const passed = table.columns.filter(({ metadata }) => !metadata)
  checkMembers(topic, names, '', passed)
  for (const { name, type } of passed) {
    visitStructs(type, name, (path, fields) => checkMembers(topic, names, `${path}.`, fields))
  }
  return Object.freeze({ encoding: 'json', names, timestamps })
}

/** Two columns, or fields of one struct, cannot be one member of a JSON object. */
export const checkMembers = (
  topic: string,
  names: JsonEncoding['names'],
  prefix: string,
  fields: readonly { readonly name: string }[],
): void => {
  const members = new Map<string, string>()
  for (const { name } of fields) {
    const path = prefix + name
    const member = names[path] ?? name
    const other = members.get(member)
    if (other !== undefined) {
      throw new ConfigurationError({
        code: 'MEMBER_REPEATED',
        message: `Topic ${topic}: ${prefix === '' ? 'columns' : 'fields'} '${other}' and '${path}' are both the JSON member "${member}".`,
      })
    }
    members.set(member, path)
  }
}
