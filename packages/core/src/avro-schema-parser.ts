import type {
  AvroEnum,
  AvroField,
  AvroFixed,
  AvroLogicalType,
  AvroPrimitiveName,
  AvroRecord,
  AvroSchema,
  AvroTimestampUnit,
} from './avro-schema.ts'
import { ConfigurationError } from './errors.ts'

const primitives: ReadonlySet<string> = new Set<AvroPrimitiveName>([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
])

/** Schemas within each other. */
const maximumDepth = 64

type JsonObject = Readonly<Record<string, unknown>>
type Named = AvroRecord | AvroEnum | AvroFixed

const refuse = (path: string, problem: string): never => {
  throw new ConfigurationError({
    code: 'AVRO_SCHEMA_INVALID',
    message: `This is no Avro schema: ${path === '' ? '' : `${path} `}${problem}.`,
  })
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const wholeFrom = (least: number, value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= least

const textAt = (object: JsonObject, member: string, path: string): string => {
  const value = object[member]
  return typeof value === 'string' && value !== ''
    ? value
    : refuse(path, `has a ${member} that is no text: ${shown(value)}`)
}

const textsAt = (object: JsonObject, member: string, path: string): readonly string[] => {
  const value = object[member]
  if (value === undefined) return []
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
    ? (value as string[])
    : refuse(path, `has ${member} that are no array of texts`)
}

const timestamps = /^(local-)?timestamp-(millis|micros|nanos)$/

/** Undefined for those that do not suit the type: Avro has them ignored. */
const logicalType = (
  object: JsonObject,
  type: AvroPrimitiveName | 'fixed',
  bytes = Number.POSITIVE_INFINITY,
): AvroLogicalType | undefined => {
  const { logicalType: name, precision, scale = 0 } = object
  if (name === 'decimal' && (type === 'bytes' || type === 'fixed')) {
    // The digits of the greatest number that many bytes hold.
    const most = Math.floor(Math.log10(2) * (8 * bytes - 1))
    const suits = wholeFrom(1, precision) && wholeFrom(0, scale) && scale <= precision && precision <= most
    return suits ? { kind: 'decimal', precision, scale } : undefined
  }
  if (name === 'uuid' && (type === 'string' || (type === 'fixed' && bytes === 16))) return { kind: 'uuid' }
  if (name === 'date' && type === 'int') return { kind: 'date' }
  const match = type === 'long' && typeof name === 'string' ? timestamps.exec(name) : null
  return match
    ? { kind: 'timestamp', unit: match[2] as AvroTimestampUnit, local: match[1] !== undefined }
    : undefined
}

const withLogical = <Schema extends object>(schema: Schema, logical: AvroLogicalType | undefined) =>
  logical ? { ...schema, logical } : schema

const fullName = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`

class SchemaParser {
  readonly #named = new Map<string, Named>()
  #depth = 0

  /** @param namespace that of the type it stands in */
  read(json: unknown, namespace: string, path: string): AvroSchema {
    if (++this.#depth > maximumDepth) refuse(path, `is nested deeper than ${maximumDepth} levels`)
    try {
      return this.#read(json, namespace, path)
    } finally {
      this.#depth -= 1
    }
  }

  #read(json: unknown, namespace: string, path: string): AvroSchema {
    if (typeof json === 'string') return this.#reference(json, namespace, path)
    if (Array.isArray(json)) return this.#union(json, namespace, path)
    if (!isObject(json)) return refuse(path, `is neither a name, nor an object, nor an array: ${shown(json)}`)
    const { type } = json
    // {"type": {"type": "string"}}
    if (typeof type !== 'string') return this.read(type, namespace, path)
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, namespace, path)
      case 'enum':
        return this.#enum(json, namespace, path)
      case 'fixed':
        return this.#fixed(json, namespace, path)
      case 'array':
        return { type, items: this.read(json['items'], namespace, `${path}[]`) }
      case 'map':
        return { type, values: this.read(json['values'], namespace, `${path}{}`) }
      default: {
        if (!primitives.has(type)) return this.#reference(type, namespace, path)
        const primitive = type as AvroPrimitiveName
        return withLogical({ type: primitive }, logicalType(json, primitive))
      }
    }
  }

  #reference(name: string, namespace: string, path: string): AvroSchema {
    if (primitives.has(name)) return { type: name as AvroPrimitiveName }
    return (
      this.#named.get(fullName(name, namespace)) ??
      this.#named.get(name) ??
      refuse(path, `names a type that is not defined before it: ${shown(name)}`)
    )
  }

  #union(json: readonly unknown[], namespace: string, path: string): AvroSchema {
    const kinds = new Set<string>()
    const branches = json.map((branch, index) => {
      const schema = this.read(branch, namespace, json.length === 1 ? path : `${path}|${index}`)
      if (schema.type === 'union') return refuse(path, 'is a union in a union')
      const kind = 'name' in schema ? schema.name : schema.type
      if (kinds.has(kind)) return refuse(path, `is a union with ${kind} twice`)
      kinds.add(kind)
      return schema
    })
    return branches.length === 0 ? refuse(path, 'is a union of nothing') : { type: 'union', branches }
  }

  /** Answers the name with its namespace, and that namespace, in which names within the type are looked up. */
  #define(
    json: JsonObject,
    namespace: string,
    path: string,
  ): { readonly name: string; readonly namespace: string } {
    const given = textAt(json, 'name', path)
    const own = json['namespace']
    if (own !== undefined && own !== null && typeof own !== 'string') {
      refuse(path, `has a namespace that is no text: ${shown(own)}`)
    }
    const name = fullName(given, typeof own === 'string' ? own : namespace)
    if (primitives.has(name)) refuse(path, `defines ${name}, which is a type of Avro`)
    if (this.#named.has(name)) refuse(path, `defines ${name} a second time`)
    return { name, namespace: name.slice(0, Math.max(0, name.lastIndexOf('.'))) }
  }

  #record(json: JsonObject, outer: string, path: string): AvroRecord {
    const { name, namespace } = this.#define(json, outer, path)
    const given = json['fields']
    if (!Array.isArray(given)) return refuse(path, `is a record without an array of fields: ${name}`)
    const fields: AvroField[] = []
    const record: AvroRecord = { type: 'record', name, fields }
    this.#named.set(name, record)
    for (const field of given) {
      if (!isObject(field)) return refuse(path, `has a field that is no object: ${shown(field)}`)
      const fieldName = textAt(field, 'name', path)
      const at = path === '' ? fieldName : `${path}.${fieldName}`
      if (fields.some((other) => other.name === fieldName)) refuse(at, 'is the name of two fields')
      fields.push({
        name: fieldName,
        aliases: textsAt(field, 'aliases', at),
        schema: this.read(field['type'], namespace, at),
        ...(Object.hasOwn(field, 'default') ? { default: field['default'] } : {}),
      })
    }
    return record
  }

  #enum(json: JsonObject, outer: string, path: string): AvroEnum {
    const { name } = this.#define(json, outer, path)
    const symbols = textsAt(json, 'symbols', path)
    if (symbols.length === 0) refuse(path, `is an enum without symbols: ${name}`)
    if (new Set(symbols).size < symbols.length) refuse(path, `is an enum with a symbol twice: ${name}`)
    const schema: AvroEnum = { type: 'enum', name, symbols }
    this.#named.set(name, schema)
    return schema
  }

  #fixed(json: JsonObject, outer: string, path: string): AvroFixed {
    const { name } = this.#define(json, outer, path)
    const bytes = json['size']
    if (!wholeFrom(0, bytes))
      return refuse(path, `is a fixed whose size is no number of bytes: ${shown(bytes)}`)
    const schema: AvroFixed = withLogical(
      { type: 'fixed' as const, name, bytes },
      logicalType(json, 'fixed', bytes),
    )
    this.#named.set(name, schema)
    return schema
  }
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // The bare name of a type is in use beside its JSON text.
    return primitives.has(text) ? text : refuse('', `it is no JSON: ${shown(text)}`)
  }
}

/**
 * Reads the JSON text of an Avro schema.
 *
 * @param references texts of schemas whose named types it uses, each after those it uses itself
 * Throws a `ConfigurationError` `AVRO_SCHEMA_INVALID` that names the place: `legs[].price`.
 */
export const parseAvroSchema = (text: string, references: readonly string[] = []): AvroSchema => {
  const parser = new SchemaParser()
  for (const reference of references) parser.read(jsonOf(reference), '', '')
  return parser.read(jsonOf(text), '', '')
}
