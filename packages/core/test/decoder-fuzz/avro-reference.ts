import { inflateSync } from 'node:zlib'
import { type Type as AvscType, Type, types } from 'avsc'
import { type ColumnDefinition, type ColumnType, Decimal, type MapKeyType } from '../../src/index.ts'

/** A schema as its JSON has it. */
export type SchemaJson =
  | string
  | readonly SchemaJson[]
  | { readonly type: string; readonly [member: string]: unknown }

/** Thrown for a value that a column cannot hold. */
export class Unfit extends Error {}

const typeOf = (schema: SchemaJson): string =>
  typeof schema === 'string' ? schema : Array.isArray(schema) ? 'union' : (schema as { type: string }).type
const member = (schema: SchemaJson, name: string) => (schema as Readonly<Record<string, unknown>>)[name]

const long = types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer(value: bigint) {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (left: bigint, right: bigint) => Number(left - right),
})

/**
 * The same bytes as a schema that loses nothing: no logical types, texts as bytes, ints as longs, booleans as one byte,
 * maps as arrays of their entries, and a record around the items of an array. Names stay.
 */
const rawSchema = (schema: SchemaJson): SchemaJson => {
  let number = 0
  const name = () => `raw${number++}`
  const raw = (inner: SchemaJson): SchemaJson => {
    switch (typeOf(inner)) {
      case 'union':
        return (inner as readonly SchemaJson[]).map(raw)
      case 'boolean':
        return { type: 'fixed', name: name(), size: 1 }
      case 'int':
      case 'long':
        return 'long'
      case 'string':
      case 'bytes':
        return 'bytes'
      case 'array': {
        const fields = [{ name: 'item', type: raw(member(inner, 'items') as SchemaJson) }]
        return { type: 'array', items: { type: 'record', logicalType: 'item', name: name(), fields } }
      }
      case 'map': {
        const fields = [
          { name: 'key', type: 'bytes' },
          { name: 'value', type: raw(member(inner, 'values') as SchemaJson) },
        ]
        return { type: 'array', items: { type: 'record', logicalType: 'item', name: name(), fields } }
      }
      case 'record': {
        const fields = (member(inner, 'fields') as { name: string; type: SchemaJson }[]).map((field) => ({
          name: field.name,
          type: raw(field.type),
        }))
        return { type: 'record', name: member(inner, 'name'), fields }
      }
      case 'fixed':
        return { type: 'fixed', name: member(inner, 'name'), size: member(inner, 'size') }
      case 'enum':
        return { type: 'enum', name: member(inner, 'name'), symbols: member(inner, 'symbols') }
      default:
        return typeOf(inner)
    }
  }
  return raw(schema)
}

interface Tap {
  readonly pos: number
  readonly buf: Buffer
}

/** An item of an array: where a count is more than bytes can bear out, it throws, while avsc would read on. */
class Item extends types.LogicalType {
  static #buffer: Buffer | undefined
  static #reads = 0

  _read(tap: Tap): unknown {
    Item.#reads = tap.buf === Item.#buffer ? Item.#reads + 1 : 0
    Item.#buffer = tap.buf
    if (tap.pos >= tap.buf.length || Item.#reads > tap.buf.length) throw new Error('truncated buffer')
    return (types.LogicalType.prototype as unknown as { _read(tap: Tap): unknown })._read.call(this, tap)
  }

  protected override _fromValue(value: unknown): unknown {
    return value
  }

  protected override _toValue(value: unknown): unknown {
    return value
  }
}

/** The type of a schema in avsc. */
export const avscTypeOf = (schema: SchemaJson): AvscType =>
  Type.forSchema(rawSchema(schema) as never, {
    wrapUnions: true,
    registry: { long },
    logicalTypes: { item: Item as never },
  })

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const textOf = (bytes: Buffer): string => {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Unfit()
  }
}

/** The type of a value, and the value; a union has one type beside null. */
const unwrapped = (schema: SchemaJson, value: unknown): readonly [SchemaJson, unknown] => {
  if (!Array.isArray(schema)) return [schema, value]
  if (value === null) return ['null', null]
  const branch = (schema as readonly SchemaJson[]).find((one) => one !== 'null')!
  return [branch, Object.values(value as object)[0]]
}

/** A value is read although nothing takes it: ints of more than 32 bits and bytes that are no boolean count as broken. */
const checkSkipped = (given: SchemaJson, value: unknown): void => {
  const [schema, inner] = unwrapped(given, value)
  if (typeOf(schema) === 'int') intOf(inner as bigint)
  if (typeOf(schema) === 'array')
    for (const { item } of inner as { item: unknown }[])
      checkSkipped(member(schema, 'items') as SchemaJson, item)
  if (typeOf(schema) === 'map')
    for (const entry of inner as { value: unknown }[])
      checkSkipped(member(schema, 'values') as SchemaJson, entry.value)
  if (typeOf(schema) === 'record')
    for (const { name, type } of member(schema, 'fields') as { name: string; type: SchemaJson }[])
      checkSkipped(type, (inner as Record<string, unknown>)[name])
}

const intOf = (value: bigint, bits = 32): number => {
  if (BigInt.asIntN(bits, value) !== value) throw new Unfit()
  return Number(value)
}

const unscaledOf = (bytes: Buffer): bigint => {
  if (bytes.length === 0) throw new Unfit()
  let value = bytes[0]! >= 128 ? -1n : 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}

const units: Readonly<Record<string, bigint>> = {
  'epoch-seconds': 1_000_000_000n,
  'epoch-millis': 1_000_000n,
  'epoch-micros': 1000n,
  'epoch-nanos': 1n,
  millis: 1_000_000n,
  micros: 1000n,
  nanos: 1n,
}

export type Target = Pick<ColumnDefinition, 'name' | 'type' | 'nullable'>

/** The cell of a value, as rows are read; throws `Unfit`. */
export const cellOf = (
  { type, nullable }: Omit<Target, 'name'>,
  given: SchemaJson,
  value: unknown,
  format: string | undefined,
): unknown => {
  const [schema, inner] = unwrapped(given, value)
  if (typeOf(schema) !== 'null') return presentCellOf(type, schema, inner, format)
  if (!nullable) throw new Unfit()
  return null
}

const presentCellOf = (
  type: ColumnType,
  schema: SchemaJson,
  value: unknown,
  format: string | undefined,
): unknown => {
  const written = typeOf(schema)
  const logical = String(member(schema, 'logicalType') ?? '')
  switch (type.kind) {
    case 'boolean': {
      const byte = (value as Buffer)[0]!
      if (byte > 1) throw new Unfit()
      return byte === 1
    }
    case 'int8':
      return intOf(BigInt(intOf(value as bigint)), 8)
    case 'int16':
      return intOf(BigInt(intOf(value as bigint)), 16)
    case 'int32':
      return intOf(value as bigint)
    case 'int64': {
      if (written === 'int') intOf(value as bigint)
      if (type.mode !== 'number') return value
      if (!Number.isSafeInteger(Number(value))) throw new Unfit()
      return Number(value)
    }
    case 'float':
    case 'double': {
      if (written === 'int') intOf(value as bigint)
      return type.kind === 'float' ? Math.fround(Number(value)) : Number(value)
    }
    case 'decimal': {
      const scale = Number(member(schema, 'scale') ?? 0)
      let unscaled = unscaledOf(value as Buffer)
      if (scale <= type.scale) unscaled *= 10n ** BigInt(type.scale - scale)
      else {
        const factor = 10n ** BigInt(scale - type.scale)
        if (unscaled % factor !== 0n) throw new Unfit()
        unscaled /= factor
      }
      if (unscaled >= 10n ** BigInt(type.precision) || -unscaled >= 10n ** BigInt(type.precision))
        throw new Unfit()
      return Decimal.of(unscaled, type.scale)
    }
    case 'string':
      if (written === 'enum') return value
      if (written === 'fixed') {
        const hex = (value as Buffer).toString('hex')
        return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
          '-',
        )
      }
      return textOf(value as Buffer)
    case 'json': {
      const text = textOf(value as Buffer)
      try {
        JSON.parse(text)
      } catch {
        throw new Unfit()
      }
      return text
    }
    case 'binary':
      if (written === 'string') textOf(value as Buffer)
      return Uint8Array.from(value as Buffer)
    case 'date': {
      const days = intOf(value as bigint)
      const date = new Date(days * 86_400_000)
      if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9999)
        throw new Unfit()
      return date.toISOString().slice(0, 10)
    }
    case 'timestamp': {
      if (written === 'int') intOf(value as bigint)
      const nanos = (value as bigint) * units[logical.replace(/^(local-)?timestamp-/, '') || format!]!
      const rest = ((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n
      if (rest !== 0n && type.floor !== 'millis') throw new Unfit()
      const date = new Date(Number((nanos - rest) / 1_000_000n))
      if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9999)
        throw new Unfit()
      return date
    }
    case 'epochNanos': {
      if (written === 'int') intOf(value as bigint)
      const nanos = (value as bigint) * units[logical.replace(/^(local-)?timestamp-/, '') || format!]!
      if (BigInt.asIntN(64, nanos) !== nanos) throw new Unfit()
      return nanos
    }
    case 'list':
      return (value as { item: unknown }[]).map(({ item }) =>
        cellOf(type.element, member(schema, 'items') as SchemaJson, item, format),
      )
    case 'map': {
      const entries = new Map<unknown, unknown>()
      for (const entry of value as { key: Buffer; value: unknown }[]) {
        const text = textOf(entry.key)
        const key = keyOf(type.key, text)
        if (entries.has(key)) throw new Unfit()
        entries.set(key, cellOf(type.value, member(schema, 'values') as SchemaJson, entry.value, format))
      }
      return entries
    }
    case 'struct':
      return recordOf(type.fields, schema, value, () => format)
  }
}

const keyOf = (type: MapKeyType, text: string): unknown => {
  if (type.kind === 'string') return text
  if (type.kind === 'date') return textDate(text)
  if (!/^-?(0|[1-9]\d*)$/.test(text)) throw new Unfit()
  const value = BigInt(text)
  const bits = { int8: 8, int16: 16, int32: 32, int64: 64 }[type.kind]
  if (BigInt.asIntN(bits, value) !== value) throw new Unfit()
  return bits === 64 ? value : Number(value)
}

const textDate = (text: string): string => {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text < '0001-01-01') throw new Unfit()
  const date = new Date(text)
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== text) throw new Unfit()
  return text
}

/** A record as a row or struct: fields go where their name, or an alias of theirs, is. */
export const recordOf = (
  targets: readonly Target[],
  schema: SchemaJson,
  value: unknown,
  formatOf: (name: string) => string | undefined,
): Record<string, unknown> => {
  const row: Record<string, unknown> = Object.fromEntries(targets.map(({ name }) => [name, null]))
  const fields = member(schema, 'fields') as { name: string; type: SchemaJson; aliases?: string[] }[]
  for (const field of fields) {
    const inner = (value as Record<string, unknown>)[field.name]
    const target = targets.find(({ name }) => name === field.name || field.aliases?.includes(name))
    if (target) row[target.name] = cellOf(target, field.type, inner, formatOf(target.name))
    else checkSkipped(field.type, inner)
  }
  return row
}

/** The bytes behind a frame; undefined where they have none. */
export const unframed = (framing: string, id: string, value: Buffer): Buffer | undefined => {
  if (framing === 'plain') return value
  if (framing === 'confluent') {
    const framed = value.length >= 5 && value[0] === 0 && value.readInt32BE(1) === Number(id)
    return framed ? value.subarray(5) : undefined
  }
  const framed =
    value.length >= 18 && value[0] === 3 && value.toString('hex', 2, 18) === id.replaceAll('-', '')
  if (!framed || (value[1] !== 0 && value[1] !== 5)) return undefined
  if (value[1] === 0) return value.subarray(18)
  try {
    return inflateSync(value.subarray(18))
  } catch {
    return undefined
  }
}
