import type { DescribedColumn, FileLayout, WrittenColumn } from '../sql/query-engine.ts'
import { failure, notSupported } from '../sql/query-failure.ts'
import type { Properties, PropertyValue } from './trino-statement.ts'

const start = { line: 1, column: 1 } as const

/** The compression of the files to be written. */
export type FileCompression = Pick<FileLayout, 'compression' | 'compressionLevel'>

/** Reads the properties of CTAS and UNLOAD, each once; what is left unread at the end is refused by name. */
export class WriteProperties {
  readonly #properties: Properties
  readonly #read = new Set<string>()

  constructor(properties: Properties) {
    this.#properties = properties
  }

  string(name: string): string | undefined {
    const value = this.#value(name)
    if (value === undefined || typeof value === 'string') return value
    throw invalid(`Invalid value for catalog 'awsdatacatalog' table property '${name}': it must be a string`)
  }

  strings(name: string): readonly string[] {
    const value = this.#value(name)
    if (value === undefined) return []
    if (typeof value === 'object') return value.map((text) => text.toLowerCase())
    throw invalid(
      `Invalid value for catalog 'awsdatacatalog' table property '${name}': it must be ARRAY['...']`,
    )
  }

  integer(name: string): number | undefined {
    const value = this.#value(name)
    const number = typeof value === 'string' ? Number(value) : value
    if (number === undefined || (typeof number === 'number' && Number.isInteger(number))) return number
    throw invalid(
      `Invalid value for catalog 'awsdatacatalog' table property '${name}': it must be an integer`,
    )
  }

  /** Refuses what Athena has and this does not, and what nobody has. */
  end(refused: readonly string[]): void {
    for (const name of this.#properties.keys()) {
      if (this.#read.has(name)) continue
      if (refused.includes(name)) throw notSupported(`the property ${name}`, start)
      throw invalid(`Catalog 'awsdatacatalog' table property '${name}' does not exist`)
    }
  }

  /** Refuses every format but Parquet. */
  requireParquet(format: string): void {
    if (format.toUpperCase() === 'PARQUET') return
    const known = ['ORC', 'AVRO', 'JSON', 'TEXTFILE', 'ION'].includes(format.toUpperCase())
    if (known) throw notSupported(`writing the format ${format.toUpperCase()}: it writes PARQUET only`, start)
    throw invalid(`Invalid value for catalog 'awsdatacatalog' table property 'format': ${format}`)
  }

  /** @param names the properties that may name it; at most one is given */
  compression(...names: readonly string[]): FileCompression {
    const given = names.flatMap((name) => this.string(name) ?? [])
    if (given.length > 1) throw invalid(`Only one of the properties ${names.join(', ')} can be given`)
    const level = this.integer('compression_level')
    const compression = compressionOf(given[0] ?? 'GZIP')
    if (level === undefined) return { compression }
    if (compression !== 'ZSTD') throw invalid('compression_level is for ZSTD only')
    if (level < 1 || level > 22) throw invalid('compression_level must be from 1 to 22')
    return { compression, compressionLevel: level }
  }

  #value(name: string): PropertyValue | undefined {
    this.#read.add(name)
    return this.#properties.get(name)
  }
}

/** Parquet's compression by the name Athena gives it. Throws INVALID_TABLE_PROPERTY, NOT_SUPPORTED for LZ4. */
export function compressionOf(name: string): FileCompression['compression'] {
  switch (name.toUpperCase()) {
    case 'GZIP':
    case 'SNAPPY':
    case 'ZSTD':
      return name.toUpperCase() as FileCompression['compression']
    case 'NONE':
    case 'UNCOMPRESSED':
      return 'UNCOMPRESSED'
    case 'LZ4':
    case 'LZO':
      throw notSupported(`writing Parquet with ${name.toUpperCase()}`, start)
    default:
      throw invalid(`${name} is no compression of Parquet`)
  }
}

/** The columns a query has as those of new files. Throws for names and types a Hive table cannot have. */
export function newColumns(columns: readonly DescribedColumn[]): readonly WrittenColumn[] {
  const names = new Set<string>()
  return columns.map(({ name, type, hiveType }, from) => {
    if (name === undefined) {
      throw failure('MISSING_COLUMN_NAME', `Column name not specified at position ${from + 1}`, start)
    }
    const lower = name.toLowerCase()
    if (names.has(lower)) {
      throw failure('DUPLICATE_COLUMN_NAME', `Column name '${lower}' specified more than once`, start)
    }
    names.add(lower)
    if (type === 'unknown') throw failure('COLUMN_TYPE_UNKNOWN', `Column type is unknown: ${lower}`, start)
    return { name: lower, hiveType: hiveType ?? noHiveType(type), from }
  })
}

function noHiveType(type: string): never {
  if (/^timestamp\(\d+\)$/.test(type)) {
    throw failure(
      'NOT_SUPPORTED',
      `Incorrect timestamp precision for ${type}; the configured precision is MILLISECONDS`,
    )
  }
  throw failure('NOT_SUPPORTED', `Unsupported Hive type: ${type}`)
}

/** Splits off the partition keys, which must be the last columns, in order. */
export function layoutOf(
  columns: readonly WrittenColumn[],
  partitionedBy: readonly string[],
  compression: FileCompression,
): FileLayout {
  const absent = partitionedBy.filter((key) => !columns.some(({ name }) => name === key))
  if (absent.length > 0) throw invalid(`Partition columns [${absent.join(', ')}] not present in schema`)
  if (partitionedBy.length > 0 && partitionedBy.length === columns.length) {
    throw invalid('Table contains only partition columns')
  }
  const split = columns.length - partitionedBy.length
  const last = columns.slice(split)
  if (last.some(({ name }, i) => name !== partitionedBy[i])) {
    throw failure(
      'HIVE_COLUMN_ORDER_MISMATCH',
      `Partition keys must be the last columns in the table and in the same order as the table properties: [${partitionedBy.join(', ')}]`,
    )
  }
  return { columns: columns.slice(0, split), partitionKeys: last, ...compression }
}

const invalid = (message: string) => failure('INVALID_TABLE_PROPERTY', message, start)
