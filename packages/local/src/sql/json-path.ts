import { FunctionFailure } from './decimal-arithmetic.ts'
import { type JsonValue, parseJson } from './json-text.ts'

const step = /\.([A-Za-z0-9_:]+)|\[([A-Za-z0-9_]+)\]|\["((?:[^"\\]|\\["\\])*)"\]/y

/** The steps of a path such as `$.a.b[1]` or `$["a b"]`; undefined for other forms. */
export function jsonPath(path: string): readonly string[] | undefined {
  if (!path.startsWith('$')) return undefined
  const steps: string[] = []
  step.lastIndex = 1
  while (step.lastIndex < path.length) {
    const match = step.exec(path)
    if (match === null) return undefined
    steps.push(match[1] ?? match[2] ?? match[3]!.replace(/\\(.)/g, '$1'))
  }
  return steps
}

/** The value a path leads to; undefined where there is none, or the text is no JSON. */
export function findInJson(text: string, steps: readonly string[]): JsonValue | undefined {
  const value = parseJson(text)
  if (value !== undefined) return steps.reduce<JsonValue | undefined>(inside, value)
  // Trino reads from the front, and may find the value before what is wrong.
  if (/^\s*(?:[[{"]|-?\d|(?:true|false|null)\b)/.test(text)) {
    throw new FunctionFailure(
      'NOT_SUPPORTED',
      'The embedded Athena does not search text that is no valid JSON',
    )
  }
  return undefined
}

/** A member by its name, the first of several, or an element by its place. */
function inside(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (value?.kind === 'object') return value.members.find(([member]) => member === name)?.[1]
  return value?.kind === 'array' && /^\d{1,9}$/.test(name) ? value.items[Number(name)] : undefined
}
