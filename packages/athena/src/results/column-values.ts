import { type ColumnType, Decimal, formatDate, type NestedValue, parseDate } from '@stockpipe/core'
import { arrowTypes, type ColumnData, isValid } from './column-data.ts'
import { unpinned } from './csv-rows.ts'

/** The value at a place that has one; undefined when the type cannot hold it. */
export type ReadAt = (index: number) => unknown

/** Values of a column as a stated type has them; undefined where the column is of no type that gives them. */
export const valuesOf = (type: ColumnType, data: ColumnData): ReadAt | undefined => {
  const { typeId } = data.type
  switch (type.kind) {
    case 'boolean':
      return typeId === arrowTypes.boolean ? booleans(data) : undefined
    case 'int8':
    case 'int16':
    case 'int32':
      return typeId === arrowTypes.integer ? numbers(data) : undefined
    case 'int64':
      if (typeId !== arrowTypes.integer) return undefined
      return type.mode === 'number' ? safeIntegers(data) : bigints(data)
    case 'epochNanos':
      return typeId === arrowTypes.integer ? bigints(data) : undefined
    case 'float':
    case 'double':
      return typeId === arrowTypes.float ? numbers(data) : undefined
    case 'decimal':
      return typeId === arrowTypes.decimal ? decimals(data, type.scale) : undefined
    case 'string':
    case 'json':
      return typeId === arrowTypes.utf8 ? texts(data) : undefined
    case 'binary':
      return typeId === arrowTypes.binary ? bytes(data) : undefined
    case 'date':
      return typeId === arrowTypes.date && data.values instanceof Int32Array ? dates(data) : undefined
    case 'timestamp':
      // Milliseconds since the epoch, which UNLOAD was told to write beside the timestamp.
      return typeId === arrowTypes.integer ? instants(data) : undefined
    case 'list':
      return typeId === arrowTypes.list ? lists(data, type.element) : undefined
    case 'map':
      return typeId === arrowTypes.map ? maps(data, type.key, type.value) : undefined
    case 'struct':
      return typeId === arrowTypes.struct ? structs(data, type.fields) : undefined
    default:
      return undefined
  }
}

const booleans = ({ values, offset }: ColumnData): ReadAt => {
  const bits = values as Uint8Array
  return (index) => ((bits[(offset + index) >> 3]! >> ((offset + index) & 7)) & 1) === 1
}

const numbers = ({ values }: ColumnData): ReadAt => {
  const given = values as Int32Array
  return (index) => given[index]
}

const bigints = ({ values }: ColumnData): ReadAt => {
  if (values instanceof BigInt64Array) return (index) => values[index]
  const given = values as Int32Array
  return (index) => BigInt(given[index]!)
}

const safeIntegers = ({ values }: ColumnData): ReadAt => {
  const given = values as BigInt64Array | Int32Array
  return (index) => {
    const value = Number(given[index])
    return Number.isSafeInteger(value) ? value : undefined
  }
}

const decimals = (data: ColumnData, scale: number): ReadAt | undefined => {
  const { scale: given = 0, bitWidth } = data.type
  if (bitWidth !== 128 || given > scale) return undefined
  const words = data.values as Uint32Array
  const halves =
    words.byteOffset % 8 === 0
      ? new BigInt64Array(words.buffer, words.byteOffset, words.length / 2)
      : new BigInt64Array(words.slice().buffer)
  return (index) => {
    const low = halves[index * 2]!
    const high = halves[index * 2 + 1]!
    const isShort = high === (low < 0n ? -1n : 0n)
    const unscaled = isShort ? low : (high << 64n) | BigInt.asUintN(64, low)
    return Decimal.of(unscaled, given).rescale(scale)
  }
}

const texts = ({ values, valueOffsets, length }: ColumnData): ReadAt => {
  const all = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  const first = valueOffsets[0]!
  const last = valueOffsets[length]!
  const text = all.toString('utf8', first, last)
  // As many characters as bytes: each byte is one.
  if (text.length === last - first) {
    return (index) => unpinned(text.slice(valueOffsets[index]! - first, valueOffsets[index + 1]! - first))
  }
  return (index) => all.toString('utf8', valueOffsets[index], valueOffsets[index + 1])
}

const bytes = ({ values, valueOffsets }: ColumnData): ReadAt => {
  const all = values as Uint8Array
  // A copy: a view would keep the whole batch.
  return (index) => new Uint8Array(all.subarray(valueOffsets[index], valueOffsets[index + 1]))
}

/** Days that are kept as text. */
const keptDates = 4096

const dates = ({ values }: ColumnData): ReadAt => {
  const days = values as Int32Array
  const known = new Map<number, string | undefined>()
  return (index) => {
    const day = days[index]!
    if (known.has(day)) return known.get(day)
    if (known.size >= keptDates) known.clear()
    const text = formatDate(day)
    const value = parseDate(text) === undefined ? undefined : text
    known.set(day, value)
    return value
  }
}

/** Year 0001 to 9999, as the text of timestamps has them. */
const earliest = -62_135_596_800_000
const latest = 253_402_300_799_999

const instants = ({ values }: ColumnData): ReadAt => {
  const millis = values as BigInt64Array
  return (index) => {
    const value = Number(millis[index])
    return value >= earliest && value <= latest ? new Date(value) : undefined
  }
}

/** The values of nested data, null where they may be; undefined as a whole where one cannot be read. */
const nested = ({ type, nullable }: NestedValue, data: ColumnData | undefined): ReadAt | undefined => {
  const read = data && valuesOf(type, data)
  if (!data || !read) return undefined
  return (index) => (isValid(data, index) ? read(index) : nullable ? null : undefined)
}

const lists = (data: ColumnData, element: NestedValue): ReadAt | undefined => {
  const read = nested(element, data.children[0])
  if (!read) return undefined
  const { valueOffsets } = data
  return (index) => {
    const elements: unknown[] = []
    for (let at = valueOffsets[index]!; at < valueOffsets[index + 1]!; at++) {
      const value = read(at)
      if (value === undefined) return undefined
      elements.push(value)
    }
    return elements
  }
}

const maps = (data: ColumnData, key: ColumnType, value: NestedValue): ReadAt | undefined => {
  const entries = data.children[0]
  const readKey = nested({ type: key, nullable: false }, entries?.children[0])
  const readValue = nested(value, entries?.children[1])
  if (!readKey || !readValue) return undefined
  const { valueOffsets } = data
  return (index) => {
    const map = new Map<unknown, unknown>()
    for (let at = valueOffsets[index]!; at < valueOffsets[index + 1]!; at++) {
      const name = readKey(at)
      const member = readValue(at)
      if (name === undefined || member === undefined) return undefined
      map.set(name, member)
    }
    return map
  }
}

const structs = (
  data: ColumnData,
  fields: readonly (NestedValue & { readonly name: string })[],
): ReadAt | undefined => {
  const given = data.type.children ?? []
  if (given.length !== fields.length) return undefined
  const readers: ReadAt[] = []
  for (const [index, field] of fields.entries()) {
    const read = nested(field, data.children[index])
    if (!read || given[index]!.name.toLowerCase() !== field.name.toLowerCase()) return undefined
    readers.push(read)
  }
  return (index) => {
    const struct: Record<string, unknown> = {}
    for (const [at, { name }] of fields.entries()) {
      const value = readers[at]!(index)
      if (value === undefined) return undefined
      struct[name] = value
    }
    return struct
  }
}
