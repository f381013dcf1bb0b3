import type { StoredObject } from '../object-storage.ts'
import type { GlueColumn } from './catalog-model.ts'
import { csvSchemaOf } from './crawl-csv.ts'
import { CrawlError } from './crawl-folders.ts'
import { JsonNameError, jsonSchemaOf } from './crawl-json.ts'
import { type FileSample, readSample, wholeLines } from './crawl-sample.ts'
import { commonType } from './crawl-type.ts'
import { glueColumnsOf, UnreadableFieldError } from './parquet-column-type.ts'
import { NotParquetError, readParquetFooter } from './parquet-footer.ts'

/** How files are written, as the catalog tells it; all files of a table have the same. */
export type FileFormat =
  | { readonly classification: 'parquet'; readonly compression: 'none' }
  | {
      readonly classification: 'csv'
      readonly compression: FileSample['compression']
      readonly delimiter: string
      readonly hasHeader: boolean
    }
  | { readonly classification: 'json'; readonly compression: FileSample['compression'] }

/** What a file, or the files of a folder, declare. */
export interface CrawledSchema {
  readonly format: FileFormat
  readonly columns: readonly GlueColumn[]
  /** Of JSON: names of the top level as the files spell them. */
  readonly paths?: readonly string[]
}

const uriOf = (file: StoredObject): string => `s3://${file.bucket}/${file.key}`

/** Reads what a data file declares, by its content. @throws CrawlError naming the file */
export async function schemaOfFile(file: StoredObject): Promise<CrawledSchema> {
  const sample = await readSample(file.filePath).catch((cause: unknown) => {
    throw new CrawlError(`${uriOf(file)} is gzip that cannot be inflated.`, { cause })
  })
  // What is called Parquet and is none should be told so.
  if (startsWith(sample, 'PAR1') || file.key.endsWith('.parquet')) return parquetSchemaOf(file)
  const lines = wholeLines(sample)
  const schema = lines === undefined ? undefined : textSchemaOf(file, sample, lines)
  if (schema !== undefined) return schema
  const other = otherFormats.find(([start]) => startsWith(sample, start))?.[1]
  throw new CrawlError(
    `${uriOf(file)} is ${other ?? 'neither Parquet nor CSV nor JSON'}; the local crawler reads Parquet, and CSV and JSON also as gzip. ` +
      'Exclude it, or remove it.',
  )
}

const startsWith = ({ bytes }: FileSample, text: string): boolean =>
  bytes.toString('latin1', 0, text.length) === text

const otherFormats: readonly (readonly [string, string])[] = [
  ['Obj\u0001', 'an Avro file'],
  ['ORC', 'an ORC file'],
  ['BZh', 'compressed by bzip2'],
  ['PK\u0003\u0004', 'a ZIP archive'],
  ['\u0028\u00b5\u002f\u00fd', 'compressed by Zstandard'],
]

function textSchemaOf(
  file: StoredObject,
  sample: FileSample,
  lines: readonly string[],
): CrawledSchema | undefined {
  const { compression } = sample
  try {
    const json = jsonSchemaOf(lines, sample.isWhole ? sample.bytes.toString('utf8') : undefined)
    if (json !== undefined) {
      return { format: { classification: 'json', compression }, columns: json.columns, paths: json.paths }
    }
  } catch (cause) {
    if (!(cause instanceof JsonNameError)) throw cause
    throw new CrawlError(
      `${uriOf(file)} has the nested name '${cause.message}', which no struct type can hold.`,
    )
  }
  const csv = csvSchemaOf(lines)
  if (csv === undefined) return undefined
  const { delimiter, hasHeader, columns } = csv
  return { format: { classification: 'csv', compression, delimiter, hasHeader }, columns }
}

async function parquetSchemaOf(file: StoredObject): Promise<CrawledSchema> {
  try {
    const columns = glueColumnsOf((await readParquetFooter(file.filePath)).fields)
    return { format: { classification: 'parquet', compression: 'none' }, columns }
  } catch (cause) {
    if (cause instanceof NotParquetError) {
      throw new CrawlError(
        `${uriOf(file)} is not a Parquet file (${cause.message}). Exclude it, or remove it.`,
        { cause },
      )
    }
    if (cause instanceof UnreadableFieldError) {
      throw new CrawlError(`${uriOf(file)}: ${cause.message}.`, { cause })
    }
    throw cause
  }
}

/** Where two formats differ, in words; undefined when files of both can be of one table. */
export function formatDifference(left: FileFormat, right: FileFormat): string | undefined {
  const named = (format: FileFormat): string =>
    format.classification === 'csv'
      ? `csv with ${format.hasHeader ? 'a' : 'no'} header and the delimiter ${JSON.stringify(format.delimiter)}`
      : format.classification
  const full = (format: FileFormat): string =>
    named(format) + (format.compression === 'none' ? '' : ` as ${format.compression}`)
  return full(left) === full(right) ? undefined : `${full(left)} and ${full(right)}`
}

/** Schemas of many files or folders as one: columns in the order first seen, types that read all. */
export class MergedSchema {
  readonly #types = new Map<string, { type: string; from: string }>()
  readonly #paths = new Set<string>()
  #format: { readonly format: FileFormat; readonly from: string } | undefined

  /** @throws CrawlError when formats, the order of a CSV's columns, or a column's types cannot be reconciled */
  add({ format, columns, paths = [] }: CrawledSchema, from: string): void {
    this.#format ??= { format, from }
    const difference = formatDifference(this.#format.format, format)
    if (difference !== undefined) {
      throw new CrawlError(`${this.#format.from} and ${from} are ${difference}: they cannot be one table.`)
    }
    if (format.classification === 'csv') this.#checkOrder(columns, from)
    for (const path of paths) this.#paths.add(path)
    for (const { Name, Type = 'string' } of columns) {
      const known = this.#types.get(Name)
      const onConflict = format.classification === 'parquet' ? undefined : 'string'
      const type = known === undefined ? Type : commonType(known.type, Type, onConflict)
      if (type === undefined) {
        throw new CrawlError(
          `Column '${Name}' is ${known?.type} in ${known?.from} and ${Type} in ${from}; no type reads both.`,
        )
      }
      this.#types.set(Name, { type, from: known !== undefined && type === known.type ? known.from : from })
    }
  }

  /** The schema; undefined before the first `add`. */
  get(): CrawledSchema | undefined {
    if (this.#format === undefined) return undefined
    return {
      format: this.#format.format,
      columns: [...this.#types].map(([Name, { type }]) => ({ Name, Type: type })),
      ...(this.#paths.size > 0 && { paths: [...this.#paths].sort() }),
    }
  }

  /** CSV is read by position, so one file's columns must be the beginning of the other's. */
  #checkOrder(columns: readonly GlueColumn[], from: string): void {
    const known = [...this.#types.keys()]
    const at = columns.findIndex(({ Name }, index) => known[index] !== undefined && known[index] !== Name)
    if (at === -1) return
    throw new CrawlError(
      `Column ${at + 1} is '${known[at]}' in ${this.#format?.from} and '${columns[at]?.Name}' in ${from}: ` +
        'CSV is read by position, so they cannot be one table.',
    )
  }
}

/** How alike two lists of columns are, from 0 to 1: the columns both have, of those the longer one has. */
export function similarity(left: CrawledSchema, right: CrawledSchema): number {
  const byPosition = left.format.classification === 'csv'
  const shared = left.columns.filter(({ Name }, at) =>
    byPosition ? right.columns[at]?.Name === Name : right.columns.some((column) => column.Name === Name),
  )
  return shared.length / Math.max(left.columns.length, right.columns.length, 1)
}
