import type { GlueColumn } from './catalog-model.ts'
import { commonType, noType, settledType, structType } from './crawl-type.ts'

/** What a JSON file's beginning says of it. */
export interface JsonSchema {
  readonly columns: readonly GlueColumn[]
  /** Names of the top level as the file spells them, sorted: the SerDe's `paths`. */
  readonly paths: readonly string[]
}

/** A name that the text of a Hive type cannot hold. */
export class JsonNameError extends Error {
  override readonly name = 'JsonNameError'
}

/** Marks the text of a number, so that `1.0` and `1` stay apart. */
const numberMark = '\u0000#'

/**
 * Reads the types of JSON: an object a line, or a whole file that is one object or, as the column `array`, one array.
 * Undefined where it is none of these. Throws `JsonNameError`.
 */
export function jsonSchemaOf(lines: readonly string[], whole: string | undefined): JsonSchema | undefined {
  const rows = lines.map(parsed)
  const records = rows.length > 0 && rows.every(isObject) ? rows : wholeRecord(whole)
  if (records === undefined) return undefined
  const columns = new Map<string, string>()
  const paths = new Set<string>()
  for (const record of records) {
    for (const [name, value] of Object.entries(record)) {
      const column = name.toLowerCase()
      paths.add(name)
      columns.set(column, common(columns.get(column) ?? noType, typeOf(value)))
    }
  }
  return {
    columns: [...columns].map(([Name, type]) => ({ Name, Type: settledType(type) })),
    paths: [...paths].sort(),
  }
}

function wholeRecord(whole: string | undefined): readonly Readonly<Record<string, unknown>>[] | undefined {
  const value = whole === undefined ? undefined : parsed(whole)
  if (Array.isArray(value)) return [{ array: value }]
  return isObject(value) ? [value] : undefined
}

function parsed(text: string): unknown {
  try {
    JSON.parse(text)
    // Strings are matched as well, so that digits within them stay as they are.
    const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g, (token) =>
      token.startsWith('"') ? token : JSON.stringify(`${numberMark}${token}`),
    )
    return JSON.parse(marked)
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const common = (left: string, right: string): string => commonType(left, right, 'string') ?? 'string'

function typeOf(value: unknown): string {
  if (value === null) return noType
  if (typeof value === 'string') return value.startsWith(numberMark) ? numberType(value) : 'string'
  if (typeof value === 'boolean') return 'boolean'
  if (Array.isArray(value)) return `array<${value.map(typeOf).reduce(common, noType)}>`
  const fields = new Map<string, string>()
  for (const [name, inner] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    if (name === '' || /[,:<>()\s]/.test(name)) throw new JsonNameError(name)
    const field = name.toLowerCase()
    fields.set(field, common(fields.get(field) ?? noType, typeOf(inner)))
  }
  // A struct has a field at least.
  return fields.size === 0 ? noType : structType(fields)
}

function numberType(marked: string): string {
  const text = marked.slice(numberMark.length)
  if (/[.eE]/.test(text)) return 'double'
  const value = BigInt(text)
  if (BigInt.asIntN(32, value) === value) return 'int'
  return BigInt.asIntN(64, value) === value ? 'bigint' : 'double'
}
