/** What a value without a type says of one: JSON's null, an empty cell. */
export const noType = 'void'

const widths = [
  ['tinyint', 'smallint', 'int', 'bigint'],
  ['float', 'double'],
]

/** Two types meet that no Hive type reads; undefined: the crawl fails. */
type Conflict = 'string' | undefined

/**
 * The Hive type that reads both: integers and floats widen, fields of structs are put together.
 * Undefined when none does, unless `onConflict` names one; only text has that freedom, where an integer is a double too.
 */
export function commonType(left: string, right: string, onConflict?: Conflict): string | undefined {
  if (left === right || right === noType) return left
  if (left === noType) return right
  const nested = commonNestedType(left, right, onConflict)
  if (nested !== undefined) return nested
  const family = widths.find((types) => types.includes(left) && types.includes(right))
  if (family !== undefined) return family[Math.max(family.indexOf(left), family.indexOf(right))]
  const isNumber = (type: string): boolean => widths.some((types) => types.includes(type))
  return onConflict !== undefined && isNumber(left) && isNumber(right) ? 'double' : onConflict
}

function commonNestedType(left: string, right: string, onConflict: Conflict): string | undefined {
  const [, kind, leftInner = ''] = nestedPattern.exec(left) ?? []
  const [, otherKind, rightInner = ''] = nestedPattern.exec(right) ?? []
  if (kind === undefined || kind !== otherKind) return undefined
  if (kind === 'struct') return commonStruct(fieldsOf(leftInner), fieldsOf(rightInner), onConflict)
  const leftParts = partsOf(leftInner)
  const rightParts = partsOf(rightInner)
  const parts = leftParts.map((part, at) => commonType(part, rightParts[at] ?? noType, onConflict))
  return parts.includes(undefined) ? undefined : `${kind}<${parts.join(',')}>`
}

const nestedPattern = /^(array|map|struct)<(.*)>$/s

function commonStruct(
  left: ReadonlyMap<string, string>,
  right: ReadonlyMap<string, string>,
  onConflict: Conflict,
): string | undefined {
  const fields = new Map(left)
  for (const [name, type] of right) {
    const common = commonType(fields.get(name) ?? noType, type, onConflict)
    if (common === undefined) return undefined
    fields.set(name, common)
  }
  return structType(fields)
}

/** The text of a struct type. */
export const structType = (fields: ReadonlyMap<string, string>): string =>
  `struct<${[...fields].map(([name, type]) => `${name}:${type}`).join(',')}>`

/** The type with `string` wherever no value has shown one. */
export const settledType = (type: string): string =>
  type === noType ? 'string' : type.replace(/(?<=[<,:])void(?=[>,])/g, 'string')

function fieldsOf(inner: string): ReadonlyMap<string, string> {
  return new Map(
    partsOf(inner).map((part) => {
      const colon = part.indexOf(':')
      return [part.slice(0, colon), part.slice(colon + 1)]
    }),
  )
}

/** What stands between the commas that are in no brackets. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at <= text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '<' || character === '(') depth += 1
    else if (character === '>' || character === ')') depth -= 1
    else if (depth === 0 && (character === ',' || at === text.length)) {
      if (at > start) parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return parts
}
