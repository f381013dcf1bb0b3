import { FunctionFailure } from './decimal-arithmetic.ts'
import { javaNumberText } from './number-text.ts'

/** A JSON value with what Trino keeps of its text: the spelling of numbers, the order of members and repeated names. */
export type JsonValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number' | 'string'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly JsonValue[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [name: string, value: JsonValue])[] }

/** Reads JSON; undefined for other text. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    // JavaScript's parser accepts the same texts; the reader below may then trust what it sees.
    JSON.parse(text)
  } catch {
    return undefined
  }
  return new JsonReader(text).value()
}

const token = /\s*(?:("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false)|(null)|([[\]{},:]))/y

class JsonReader {
  readonly #text: string
  #offset = 0

  constructor(text: string) {
    this.#text = text
  }

  #next(): RegExpExecArray {
    token.lastIndex = this.#offset
    const match = token.exec(this.#text)!
    this.#offset = token.lastIndex
    return match
  }

  value(): JsonValue {
    const next = this.#next()
    return this.#from(next)
  }

  #from(match: RegExpExecArray): JsonValue {
    const [, string, number, boolean, nothing, symbol] = match
    if (string !== undefined) return { kind: 'string', text: JSON.parse(string) as string }
    if (number !== undefined) return { kind: 'number', text: number }
    if (boolean !== undefined) return { kind: 'boolean', value: boolean === 'true' }
    if (nothing !== undefined) return { kind: 'null' }
    return symbol === '['
      ? { kind: 'array', items: this.#items() }
      : { kind: 'object', members: this.#members() }
  }

  #items(): readonly JsonValue[] {
    const items: JsonValue[] = []
    for (let next = this.#next(); next[5] !== ']'; next = this.#next()) {
      items.push(this.#from(next[5] === ',' ? this.#next() : next))
    }
    return items
  }

  #members(): readonly (readonly [string, JsonValue])[] {
    const members: (readonly [string, JsonValue])[] = []
    for (let next = this.#next(); next[5] !== '}'; next = this.#next()) {
      const name = next[5] === ',' ? this.#next() : next
      this.#next()
      members.push([JSON.parse(name[1]!) as string, this.value()])
    }
    return members
  }
}

/** A JSON string as Jackson writes it: what needs two units of UTF-16 is escaped. */
export function jsonString(text: string): string {
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text))
    throw new FunctionFailure(
      'NOT_SUPPORTED',
      'The embedded Athena does not support JSON with half of a surrogate pair',
    )
  return JSON.stringify(text).replace(/\\(?:u[0-9a-f]{4}|.)|[\ud800-\udfff]/g, (part) => {
    if (part.length === 1) return `\\u${part.charCodeAt(0).toString(16).toUpperCase()}`
    return part.length === 6 ? `\\u${part.slice(2).toUpperCase()}` : part
  })
}

/** A double or real in JSON; those that are no JSON number are strings. */
export function jsonDouble(value: number, kind: 'real' | 'double'): string {
  const text = javaNumberText(value, kind)
  return Number.isFinite(value) ? text : `"${text}"`
}

/** Whole numbers keep their digits, others are doubles in Java's text. */
function jsonNumber(text: string): string {
  if (/^-?\d+$/.test(text)) return text === '-0' ? '0' : text
  return jsonDouble(Number(text), 'double')
}

/** The text Trino gives a JSON value. */
export function jsonText(value: JsonValue): string {
  switch (value.kind) {
    case 'null':
      return 'null'
    case 'boolean':
      return String(value.value)
    case 'number':
      return jsonNumber(value.text)
    case 'string':
      return jsonString(value.text)
    case 'array':
      return `[${value.items.map(jsonText).join(',')}]`
    case 'object':
      return `{${value.members.map(([name, member]) => `${jsonString(name)}:${jsonText(member)}`).join(',')}}`
  }
}

/** The value with the members of its objects in order of their names, as json_parse keeps it. */
export function sortedJson(value: JsonValue): JsonValue {
  if (value.kind === 'array') return { kind: 'array', items: value.items.map(sortedJson) }
  if (value.kind !== 'object') return value
  // The last member of a name counts.
  const members = [...new Map(value.members)].map(([name, member]) => [name, sortedJson(member)] as const)
  return { kind: 'object', members: members.sort(([a], [b]) => (a < b ? -1 : 1)) }
}
