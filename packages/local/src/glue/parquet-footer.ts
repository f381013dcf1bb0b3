import { open } from 'node:fs/promises'
import { ThriftCompactReader, type ThriftStruct, type ThriftValue } from './thrift-compact.ts'

export type PhysicalType =
  | 'BOOLEAN'
  | 'INT32'
  | 'INT64'
  | 'INT96'
  | 'FLOAT'
  | 'DOUBLE'
  | 'BYTE_ARRAY'
  | 'FIXED_LEN_BYTE_ARRAY'

/** What a Parquet field means beyond its bytes, from its logical type or the older converted type. */
export type Annotation =
  | { readonly name: 'DECIMAL'; readonly precision: number; readonly scale: number; readonly bits?: never }
  | { readonly name: 'INTEGER'; readonly bits: number; readonly signed: boolean; readonly precision?: never }
  | { readonly name: string; readonly precision?: never; readonly bits?: never }

/** One field of a Parquet schema; a group has children and no physical type. */
export interface ParquetField {
  readonly name: string
  readonly repetition: 'REQUIRED' | 'OPTIONAL' | 'REPEATED'
  readonly physicalType?: PhysicalType
  readonly annotation?: Annotation
  readonly children: readonly ParquetField[]
}

/** What the end of a Parquet file says of it. */
export interface ParquetFooter {
  readonly rowCount: number
  readonly fields: readonly ParquetField[]
}

/** The file is not Parquet, or its footer cannot be read. */
export class NotParquetError extends Error {
  override readonly name = 'NotParquetError'
}

/** The length of the footer and the magic, at a file's end. */
export const trailerBytes = 8
const magic = 'PAR1'

/** Reads schema and row count from a file's footer; the data itself is not touched. @throws NotParquetError */
export async function readParquetFooter(filePath: string): Promise<ParquetFooter> {
  const file = await open(filePath, 'r')
  try {
    const { size } = await file.stat()
    if (size < trailerBytes + magic.length) throw new NotParquetError(`it has only ${size} bytes`)
    const trailer = Buffer.alloc(trailerBytes)
    await file.read(trailer, 0, trailerBytes, size - trailerBytes)
    const footerBytes = footerBytesOf(trailer)
    if (footerBytes > size - trailerBytes - magic.length) {
      throw new NotParquetError(`its footer of ${footerBytes} bytes is longer than the file`)
    }
    const footer = Buffer.alloc(footerBytes)
    await file.read(footer, 0, footerBytes, size - trailerBytes - footerBytes)
    return decodeFooter(footer)
  } finally {
    await file.close()
  }
}

/** The length of the footer, from a file's last bytes. @throws NotParquetError */
export function footerBytesOf(tail: Buffer): number {
  const ending = tail.toString('latin1', Math.max(0, tail.length - magic.length))
  if (tail.length < trailerBytes || ending !== magic) {
    throw new NotParquetError(ending === 'PARE' ? 'its footer is encrypted' : 'it does not end with PAR1')
  }
  return tail.readUInt32LE(tail.length - trailerBytes)
}

/** Decodes the FileMetaData of a footer. @throws NotParquetError */
export function decodeFooter(footer: Buffer): ParquetFooter {
  try {
    const metadata = new ThriftCompactReader(footer).readStruct(3)
    const elements = metadata.get(2)
    if (!Array.isArray(elements) || elements.length === 0) throw new RangeError('it has no schema')
    const cursor = { at: 0 }
    const root = fieldAt(elements as readonly ThriftStruct[], cursor)
    return { rowCount: Number(metadata.get(3) ?? 0), fields: root.children }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new NotParquetError(`its footer cannot be read: ${cause.message}`, { cause })
  }
}

const physicalTypes: readonly PhysicalType[] = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
]

const repetitions = ['REQUIRED', 'OPTIONAL', 'REPEATED'] as const

/** Schema elements are a tree written depth first: each group says how many children follow it. */
function fieldAt(elements: readonly ThriftStruct[], cursor: { at: number }): ParquetField {
  const element = elements[cursor.at]
  if (!(element instanceof Map)) throw new RangeError('its schema tree is cut short')
  cursor.at += 1
  const children: ParquetField[] = []
  const childCount = numberAt(element, 5) ?? 0
  for (let child = 0; child < childCount; child += 1) children.push(fieldAt(elements, cursor))
  const physicalType = physicalTypes[numberAt(element, 1) ?? -1]
  const annotation = annotationOf(element)
  return {
    name: textAt(element, 4),
    repetition: repetitions[numberAt(element, 3) ?? 0] ?? 'REQUIRED',
    children,
    ...(childCount === 0 && physicalType !== undefined ? { physicalType } : {}),
    ...(annotation === undefined ? {} : { annotation }),
  }
}

const logicalNames: Readonly<Record<number, string>> = {
  1: 'STRING',
  2: 'MAP',
  3: 'LIST',
  4: 'ENUM',
  6: 'DATE',
  7: 'TIME',
  8: 'TIMESTAMP',
  11: 'UNKNOWN',
  12: 'JSON',
  13: 'BSON',
  14: 'UUID',
  15: 'FLOAT16',
}

const convertedNames: Readonly<Record<number, string>> = {
  0: 'STRING',
  1: 'MAP',
  2: 'MAP',
  3: 'LIST',
  4: 'ENUM',
  6: 'DATE',
  7: 'TIME',
  8: 'TIME',
  9: 'TIMESTAMP',
  10: 'TIMESTAMP',
  19: 'JSON',
  20: 'BSON',
  21: 'INTERVAL',
}

function annotationOf(element: ThriftStruct): Annotation | undefined {
  const logicalType = element.get(10)
  if (logicalType instanceof Map) return logicalAnnotation(logicalType as ThriftStruct)
  const converted = numberAt(element, 6)
  if (converted === undefined) return undefined
  if (converted === 5) {
    return { name: 'DECIMAL', scale: numberAt(element, 7) ?? 0, precision: numberAt(element, 8) ?? 0 }
  }
  if (converted >= 11 && converted <= 18) {
    return { name: 'INTEGER', bits: 8 << ((converted - 11) % 4), signed: converted >= 15 }
  }
  return { name: convertedNames[converted] ?? `converted type ${converted}` }
}

/** A LogicalType is a union: one field, whose id is the type and whose struct its parameters. */
function logicalAnnotation(union: ThriftStruct): Annotation | undefined {
  const [entry] = union
  if (entry === undefined) return undefined
  const [id, parameters] = entry
  if (id === 5 && parameters instanceof Map) {
    return { name: 'DECIMAL', scale: numberAt(parameters, 1) ?? 0, precision: numberAt(parameters, 2) ?? 0 }
  }
  if (id === 10 && parameters instanceof Map) {
    return { name: 'INTEGER', bits: numberAt(parameters, 1) ?? 0, signed: parameters.get(2) !== false }
  }
  return { name: logicalNames[id] ?? `logical type ${id}` }
}

function numberAt(struct: ReadonlyMap<number, ThriftValue>, id: number): number | undefined {
  const value = struct.get(id)
  return typeof value === 'number' ? value : undefined
}

function textAt(struct: ThriftStruct, id: number): string {
  const value = struct.get(id)
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : ''
}
