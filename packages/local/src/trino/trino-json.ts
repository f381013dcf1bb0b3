/** A JSON value that has kept what JSON.parse loses: numbers are their text, and objects know the order of their keys. */
export type TrinoJson = null | boolean | string | readonly TrinoJson[] | TrinoObject

export interface TrinoObject {
  /** Keys have a `#` before them, so that `10` stays behind `9`, and `__proto__` is a key like others. */
  readonly [key: `#${string}`]: TrinoJson | undefined
}

/** Strings, those that are keys with their colon, and numbers. */
const tokens = /"((?:[^"\\]|\\.)*)"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g

/** Parses an answer of Trino. Throws a `SyntaxError` for text that is no JSON. */
export function parseTrinoJson(text: string): TrinoJson {
  const kept = text.replace(tokens, (token: string, inner: string | undefined, colon: string | undefined) => {
    if (inner === undefined) return `"${token}"`
    return colon === undefined ? token : `"#${inner}"${colon}`
  })
  return JSON.parse(kept) as TrinoJson
}

/** The object a value is; one without members where it is none. */
export function objectOf(value: TrinoJson | undefined): TrinoObject {
  return typeof value === 'object' && value !== null && !isList(value) ? value : {}
}

/** The list a value is; an empty one where it is none. */
export function listOf(value: TrinoJson | undefined): readonly TrinoJson[] {
  return isList(value) ? value : []
}

/** The text of a string or number; undefined for others. */
export function textOf(value: TrinoJson | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The keys and values of an object, in its order. */
export function entriesOf(value: TrinoObject): readonly (readonly [string, TrinoJson])[] {
  return Object.entries(value).map(([key, item]) => [key.slice(1), item ?? null])
}

function isList(value: TrinoJson | undefined): value is readonly TrinoJson[] {
  return Array.isArray(value)
}
