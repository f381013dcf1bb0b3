import type { JsonToken } from './json-reader.ts'

/** Why a value does not fit a column. */
export class CellProblem {
  readonly reason: string
  /** Where within a list, map or struct: `[2].price`; empty for the column's value itself. */
  readonly path: string

  constructor(reason: string, path = '') {
    this.reason = reason
    this.path = path
  }

  /** The same, told from one level further out; `step` is `[2]`, `["key"]` or `.field`. */
  within(step: string): CellProblem {
    return new CellProblem(this.reason, step + this.path)
  }

  /** As a sentence about a column: `'legs[2].price' takes decimal digits, not true`. */
  of(column: string): string {
    return `'${column}${this.path}' ${this.reason}`
  }
}

/** The step of a path into a map. */
export const keyStep = (key: string): string =>
  `[${JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}...` : key)}]`

/** A token cut to a length that fits a message. */
export const shown = (token: JsonToken): string => {
  const text = token.text.length > 40 ? `${token.text.slice(0, 40)}...` : token.text
  return token.kind === 'string' ? JSON.stringify(text) : text
}

/** The problem of a JSON value of another kind than the column takes. */
export const unsuited = (what: string, token: JsonToken): CellProblem =>
  new CellProblem(`takes ${what}, not ${token.kind === 'null' ? 'null' : `${token.kind} ${shown(token)}`}`)
