import { gunzipSync } from 'node:zlib'
import type { TableDefinition } from '@stockpipe/core'
import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet'
import type { EngineResponse } from '../../src/engine-messages.ts'
import type { EncodedRowGroup, ParquetEncoder } from '../../src/parquet-encoder.ts'
import { parquetMagic } from '../../src/parquet-file.ts'

/** A file put together from the parts of a cut. */
export interface CutFile {
  readonly partitionValues: readonly (string | null)[]
  readonly bytes: Uint8Array
  readonly parts: readonly Extract<EngineResponse, { kind: 'part' }>[]
  readonly facts: Extract<EngineResponse, { kind: 'file' }>
}

/** The files of a cut; throws where parts and files are not in the order the contract names. */
export const filesOf = (responses: Iterable<EngineResponse>): CutFile[] => {
  const files: CutFile[] = []
  let parts: Extract<EngineResponse, { kind: 'part' }>[] = []
  for (const response of responses) {
    if (response.kind === 'part') {
      if (response.file !== files.length || response.partNumber !== parts.length + 1) throw new Error('order')
      if (parts.at(-1)?.last) throw new Error('a part after the last')
      parts.push(response)
    } else if (response.kind === 'file') {
      if (!parts.at(-1)?.last || response.file !== files.length) throw new Error('order')
      const bytes = new Uint8Array(Buffer.concat(parts.map((part) => part.bytes)))
      files.push({ partitionValues: response.partitionValues, bytes, parts, facts: response })
      parts = []
    } else throw new Error(`a cut answered ${response.kind}`)
  }
  if (parts.length > 0) throw new Error('parts without a file')
  return files
}

/** A file of row groups. */
export const fileOf = (
  encoder: ParquetEncoder,
  rowGroups: readonly EncodedRowGroup[],
  keyValues: ReadonlyMap<string, string> = new Map(),
): Uint8Array =>
  new Uint8Array(
    Buffer.concat([
      parquetMagic,
      ...rowGroups.map(({ bytes }) => bytes),
      ...encoder.footer(rowGroups, keyValues),
    ]),
  )

/** The footer, read by hyparquet. */
export const footerOf = (bytes: Uint8Array): FileMetaData => parquetMetadata(bytes.slice().buffer)

/** A file's own key-value pairs. */
export const keyValuesOf = (bytes: Uint8Array): Record<string, string | undefined> =>
  Object.fromEntries((footerOf(bytes).key_value_metadata ?? []).map(({ key, value }) => [key, value]))

/**
 * Rows with the stored values, exactly: unscaled bigints for decimals, days for dates, milliseconds for timestamps,
 * text for strings. hyparquet turns decimals into doubles, so it is not told of them.
 */
export const rowsOf = async (
  table: TableDefinition,
  bytes: Uint8Array,
): Promise<Record<string, unknown>[]> => {
  const metadata = footerOf(bytes)
  for (const element of metadata.schema) {
    if (element.converted_type !== 'UTF8') delete element.converted_type
    if (element.logical_type?.type !== 'STRING') delete element.logical_type
  }
  const rows = await parquetReadObjects({
    file: bytes.slice().buffer,
    metadata,
    utf8: false,
    compressors: { GZIP: (input) => new Uint8Array(gunzipSync(input)) },
  })
  for (const row of rows) {
    for (const { name, type } of table.columns) {
      const value = row[name]
      if (type.kind === 'decimal' && value !== null && value !== undefined) row[name] = unscaled(value)
    }
  }
  return rows
}

const unscaled = (value: unknown): bigint => {
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint)
  return BigInt.asIntN(value.length * 8, BigInt(`0x${Buffer.from(value).toString('hex')}`))
}
