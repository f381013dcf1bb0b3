import { FunctionFailure } from './decimal-arithmetic.ts'

/** A step into a JSON value: a member's name or an element's index. */
export type JsonStep = string | number

/** The steps of a path such as `$.a.b[1]` or `$["a b"]`; undefined for other forms. */
export function jsonPath(path: string): readonly JsonStep[] | undefined {
  if (!path.startsWith('$')) return undefined
  const steps: JsonStep[] = []
  let rest = path.slice(1)
  while (rest !== '') {
    const match = /^(?:\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d{1,9})\]|\["([^"\\]*)"\])/.exec(rest)
    if (match === null) return undefined
    steps.push(match[2] !== undefined ? Number(match[2]) : (match[1] ?? match[3])!)
    rest = rest.slice(match[0].length)
  }
  return steps
}

/** A JSON value as found in its text: scalars keep their spelling, so that 1.10 stays 1.10. */
export type JsonFound =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number' | 'boolean' | 'null'; readonly text: string }
  | { readonly kind: 'object' | 'array'; readonly size: number }

/** The value a path leads to; undefined where there is none, or the text is no JSON. */
export function findInJson(text: string, steps: readonly JsonStep[]): JsonFound | undefined {
  try {
    // JavaScript's parser accepts the same texts; the scanner below may then trust what it reads.
    JSON.parse(text)
  } catch {
    // Trino reads from the front, and may find the value before what is wrong.
    if (/^\s*[[{]/.test(text) && steps.length > 0) {
      throw new FunctionFailure(
        'NOT_SUPPORTED',
        'The embedded Athena does not search text that is no valid JSON',
      )
    }
    return undefined
  }
  return new JsonScanner(text).find(steps)
}

const scalar = /\s*(?:("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false)|(null)|([[{]))/y

class JsonScanner {
  readonly #text: string
  #offset = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Reads one value; the first member of a name wins. */
  find(steps: readonly JsonStep[]): JsonFound | undefined {
    scalar.lastIndex = this.#offset
    const match = scalar.exec(this.#text)!
    this.#offset = scalar.lastIndex
    if (match[5] !== undefined) return this.#container(match[5] === '[' ? 'array' : 'object', steps)
    if (steps.length > 0) return undefined
    if (match[1] !== undefined) return { kind: 'string', text: JSON.parse(match[1]) as string }
    if (match[2] !== undefined) return { kind: 'number', text: match[2] }
    return match[3] !== undefined ? { kind: 'boolean', text: match[3] } : { kind: 'null', text: 'null' }
  }

  #container(kind: 'object' | 'array', steps: readonly JsonStep[]): JsonFound | undefined {
    const [step, ...others] = steps
    let found: JsonFound | undefined
    let matched = false
    let size = 0
    while (!this.#take(kind === 'array' ? ']' : '}')) {
      this.#take(',')
      const name = kind === 'array' ? size : this.#memberName()
      const isStep = step !== undefined && name === step && !matched
      const value = this.find(isStep ? others : [])
      if (isStep) {
        found = value
        matched = true
      }
      size += 1
    }
    return step === undefined ? { kind, size } : found
  }

  #memberName(): string {
    scalar.lastIndex = this.#offset
    const name = JSON.parse(scalar.exec(this.#text)![1]!) as string
    this.#offset = scalar.lastIndex
    this.#take(':')
    return name
  }

  #take(symbol: string): boolean {
    while (/\s/.test(this.#text[this.#offset] ?? '')) this.#offset += 1
    if (this.#text[this.#offset] !== symbol) return false
    this.#offset += 1
    return true
  }
}
