import type { DuckDBType } from '@duckdb/node-api'
import type { PlainValue } from './value-text.ts'

type DuckDb = typeof import('@duckdb/node-api')

/** A DuckDB type as its text says. */
type TypeText =
  | { readonly kind: 'list'; readonly element: string }
  | { readonly kind: 'map'; readonly key: string; readonly value: string }
  | { readonly kind: 'struct'; readonly fields: readonly { readonly name: string; readonly type: string }[] }
  | { readonly kind: 'decimal'; readonly width: number; readonly scale: number }
  | { readonly kind: 'plain' }

function readType(text: string): TypeText {
  if (text.endsWith('[]')) return { kind: 'list', element: text.slice(0, -2) }
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(text)
  if (decimal !== null) return { kind: 'decimal', width: Number(decimal[1]), scale: Number(decimal[2]) }
  const match = /^(MAP|STRUCT)\((.*)\)$/s.exec(text)
  if (match === null) return { kind: 'plain' }
  const parts = partsOf(match[2]!)
  if (match[1] === 'MAP') return { kind: 'map', key: parts[0]!, value: parts[1]! }
  const fields = parts.map((part) => {
    const [quoted, name] = /^"((?:[^"]|"")*)" /.exec(part)!
    return { name: name!.replaceAll('""', '"'), type: part.slice(quoted.length) }
  })
  return { kind: 'struct', fields }
}

/** What stands between the commas that are in no parentheses or quotes. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let quoted = false
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '"') quoted = !quoted
    if (quoted) continue
    if (character === '(') depth += 1
    else if (character === ')') depth -= 1
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  return [...parts, text.slice(start).trim()]
}

/** The types and values of `@duckdb/node-api` by the texts of their types. */
export class DuckDbValues {
  readonly #duckDb: DuckDb

  constructor(duckDb: DuckDb) {
    this.#duckDb = duckDb
  }

  type(text: string): DuckDBType {
    const read = readType(text)
    switch (read.kind) {
      case 'list':
        return this.#duckDb.LIST(this.type(read.element))
      case 'map':
        return this.#duckDb.MAP(this.type(read.key), this.type(read.value))
      case 'struct':
        return this.#duckDb.STRUCT(
          Object.fromEntries(read.fields.map(({ name, type }) => [name, this.type(type)])),
        )
      case 'decimal':
        return this.#duckDb.DECIMAL(read.width, read.scale)
      case 'plain':
        return this.#plainType(text)
    }
  }

  #plainType(text: string): DuckDBType {
    const types: Readonly<Record<string, DuckDBType>> = {
      BOOLEAN: this.#duckDb.BOOLEAN,
      TINYINT: this.#duckDb.TINYINT,
      SMALLINT: this.#duckDb.SMALLINT,
      INTEGER: this.#duckDb.INTEGER,
      BIGINT: this.#duckDb.BIGINT,
      FLOAT: this.#duckDb.FLOAT,
      DOUBLE: this.#duckDb.DOUBLE,
      VARCHAR: this.#duckDb.VARCHAR,
      BLOB: this.#duckDb.BLOB,
      DATE: this.#duckDb.DATE,
      TIME: this.#duckDb.TIME,
      TIMESTAMP: this.#duckDb.TIMESTAMP,
    }
    const type = types[text]
    if (type === undefined) throw new Error(`no DuckDB type is called ${text}`)
    return type
  }

  /** Puts plain values of a type into what DuckDB's vectors take; NULL stays null. */
  wrapper(text: string): (value: PlainValue) => unknown {
    const wrap = this.#wrapper(text)
    return (value) => (value === null ? null : wrap(value))
  }

  #wrapper(text: string): (value: PlainValue) => unknown {
    const duckDb = this.#duckDb
    const read = readType(text)
    switch (read.kind) {
      case 'list': {
        const element = this.wrapper(read.element)
        return (value) => new duckDb.DuckDBListValue((value as readonly PlainValue[]).map(element) as never)
      }
      case 'map': {
        const [key, item] = [this.wrapper(read.key), this.wrapper(read.value)]
        return (value) =>
          new duckDb.DuckDBMapValue(
            (value as readonly (readonly PlainValue[])[]).map((entry) => ({
              key: key(entry[0]!),
              value: item(entry[1]!),
            })) as never,
          )
      }
      case 'struct': {
        const fields = read.fields.map(({ name, type }) => ({ name, wrap: this.wrapper(type) }))
        return (value) =>
          new duckDb.DuckDBStructValue(
            Object.fromEntries(
              fields.map(({ name, wrap }, i) => [name, wrap((value as readonly PlainValue[])[i]!)]),
            ) as never,
          )
      }
      case 'decimal':
        return (value) => new duckDb.DuckDBDecimalValue(value as bigint, read.width, read.scale)
      case 'plain':
        break
    }
    switch (text) {
      case 'TIMESTAMP':
        return (value) => new duckDb.DuckDBTimestampValue(value as bigint)
      case 'TIME':
        return (value) => new duckDb.DuckDBTimeValue(value as bigint)
      case 'DATE':
        return (value) => new duckDb.DuckDBDateValue(value as number)
      case 'BLOB':
        return (value) => new duckDb.DuckDBBlobValue(value as Uint8Array)
      default:
        return (value) => value
    }
  }
}
