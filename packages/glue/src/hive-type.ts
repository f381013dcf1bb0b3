/** A column type as Hive and Glue write it, taken apart. */
export type HiveType =
  /** `int`, `string`, `timestamp` and whatever else stands for itself; `char(3)` and `varchar(9)` too. */
  | { readonly kind: 'plain'; readonly name: string }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'array'; readonly element: HiveType }
  | { readonly kind: 'map'; readonly key: HiveType; readonly value: HiveType }
  | { readonly kind: 'struct'; readonly fields: readonly HiveField[] }

/** A field of a struct, its name in lower case. */
export interface HiveField {
  readonly name: string
  readonly type: HiveType
}

/** Other spellings of a type. */
const aliases: Readonly<Record<string, string>> = { integer: 'int', real: 'float', numeric: 'decimal' }

/** A type's text without the differences that are none: case, blanks, `integer` for `int`. */
export const foldHiveType = (text: string | undefined): string => hiveTypeText(parseHiveType(text ?? ''))

/** Reads a type; text that is none is a plain type of that name. */
export const parseHiveType = (text: string): HiveType => {
  const folded = text.toLowerCase().replace(/\s+/g, '')
  const [, head = '', inner] = /^(\w+)[<(](.*)[>)]$/s.exec(folded) ?? []
  const name = aliases[head] ?? head
  if (folded.endsWith('>') && inner !== undefined) {
    const parts = splitTopLevel(inner)
    if (name === 'array' && parts.length === 1) return { kind: 'array', element: parseHiveType(inner) }
    if (name === 'map' && parts.length === 2) {
      return { kind: 'map', key: parseHiveType(parts[0]!), value: parseHiveType(parts[1]!) }
    }
    if (name === 'struct' && parts.every((part) => part.includes(':'))) {
      const fields = parts.map((part) => {
        const colon = part.indexOf(':')
        return { name: part.slice(0, colon), type: parseHiveType(part.slice(colon + 1)) }
      })
      return { kind: 'struct', fields }
    }
  }
  if (name === 'decimal' && /^\d+(?:,\d+)?$/.test(inner ?? '')) {
    const [precision, scale = 0] = inner!.split(',').map(Number)
    return { kind: 'decimal', precision: precision!, scale }
  }
  // Hive's own default for a bare decimal.
  if (folded === 'decimal' || folded === 'numeric') return { kind: 'decimal', precision: 10, scale: 0 }
  return { kind: 'plain', name: aliases[folded] ?? folded }
}

/** The type as Glue keeps it: lower case, without blanks. */
export const hiveTypeText = (type: HiveType): string => {
  switch (type.kind) {
    case 'plain':
      return type.name
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'array':
      return `array<${hiveTypeText(type.element)}>`
    case 'map':
      return `map<${hiveTypeText(type.key)},${hiveTypeText(type.value)}>`
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}:${hiveTypeText(field.type)}`).join(',')}>`
  }
}

/** The parts between the commas that stand in no brackets. */
const splitTopLevel = (text: string): string[] => {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if ('<('.includes(character)) depth += 1
    else if ('>)'.includes(character)) depth -= 1
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}
