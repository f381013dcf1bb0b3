import type { StoredObject } from '../object-storage.ts'
import type { GlueColumn } from './catalog-model.ts'
import { CrawlError } from './crawl-folders.ts'
import { glueColumnsOf, UnreadableFieldError } from './parquet-column-type.ts'
import { NotParquetError, readParquetFooter } from './parquet-footer.ts'

const uriOf = (file: StoredObject): string => `s3://${file.bucket}/${file.key}`

/** The columns one data file declares in its footer. @throws CrawlError naming the file */
export async function columnsOfFile(file: StoredObject): Promise<readonly GlueColumn[]> {
  try {
    return glueColumnsOf((await readParquetFooter(file.filePath)).fields)
  } catch (cause) {
    if (cause instanceof NotParquetError) {
      throw new CrawlError(
        `${uriOf(file)} is not a Parquet file (${cause.message}); the local crawler reads Parquet only. Exclude it, or remove it.`,
        { cause },
      )
    }
    if (cause instanceof UnreadableFieldError) {
      throw new CrawlError(`${uriOf(file)}: ${cause.message}.`, { cause })
    }
    throw cause
  }
}

const widths = [
  ['tinyint', 'smallint', 'int', 'bigint'],
  ['float', 'double'],
]

/** The type that reads both; undefined when none does. */
export function commonType(left: string, right: string): string | undefined {
  if (left === right) return left
  const family = widths.find((types) => types.includes(left) && types.includes(right))
  return family?.[Math.max(family.indexOf(left), family.indexOf(right))]
}

/** Columns of many files as one list, in the order first seen; integer and float types widen. */
export class MergedColumns {
  readonly #types = new Map<string, { type: string; from: string }>()

  /** @throws CrawlError when a column's types cannot be reconciled */
  add(columns: readonly GlueColumn[], from: string): void {
    for (const { Name, Type = 'string' } of columns) {
      const known = this.#types.get(Name)
      const type = known === undefined ? Type : commonType(known.type, Type)
      if (type === undefined) {
        throw new CrawlError(
          `Column '${Name}' is ${known?.type} in ${known?.from} and ${Type} in ${from}; no type reads both.`,
        )
      }
      this.#types.set(Name, { type, from: known !== undefined && type === known.type ? known.from : from })
    }
  }

  list(): readonly GlueColumn[] {
    return [...this.#types].map(([Name, { type }]) => ({ Name, Type: type }))
  }
}
