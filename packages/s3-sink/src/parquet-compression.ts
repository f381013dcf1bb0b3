import { gzipSync } from 'node:zlib'
import { ConfigurationError } from '@stockpipe/core'
import type { ByteWriter } from './byte-writer.ts'
import { compressSnappy } from './snappy.ts'
import { zstdCompressor } from './zstd.ts'

/**
 * How the pages of data files are compressed. `zstd` is level 3, as zstd itself has it; `{ codec: 'zstd', level }`
 * takes 1 to 19. LZ4 is refused: Athena's engine fails on it.
 */
export type ParquetCompression =
  | 'snappy'
  | 'zstd'
  | { readonly codec: 'zstd'; readonly level: number }
  | 'gzip'
  | 'none'

/** A codec, ready to be used. */
export interface PageCompressor {
  /** Its number in Parquet's metadata. */
  readonly codec: number
  /** Appends `source[0, length)`, compressed. */
  compress(source: Uint8Array, length: number, target: ByteWriter): void
}

const defaultZstdLevel = 3
const greatestZstdLevel = 19

/** Throws a `ConfigurationError` for a codec or level that is not to be had. */
export const pageCompressor = (compression: ParquetCompression): PageCompressor => {
  switch (compression) {
    case 'none':
      return {
        codec: 0,
        compress: (source, length, target) => target.append(source.subarray(0, length)),
      }
    case 'snappy':
      return { codec: 1, compress: compressSnappy }
    case 'gzip':
      return {
        codec: 2,
        compress: (source, length, target) => target.append(gzipSync(source.subarray(0, length))),
      }
    case 'zstd':
      return { codec: 6, compress: zstdCompressor(defaultZstdLevel) }
    default:
      return { codec: 6, compress: zstdCompressor(levelOf(compression)) }
  }
}

const levelOf = (compression: unknown): number => {
  const { codec, level } =
    typeof compression === 'object' && compression !== null
      ? (compression as { readonly codec?: unknown; readonly level?: unknown })
      : { codec: compression, level: undefined }
  const known = "'snappy', 'zstd', { codec: 'zstd', level }, 'gzip' or 'none'"
  if (/^lz4(_raw)?$/i.test(String(codec))) {
    throw new ConfigurationError({
      code: 'COMPRESSION_REFUSED',
      message: `Parquet is not written with ${String(codec)}: Athena's engine cannot read LZ4 in Parquet files ("Codec not supported in Parquet: LZ4_RAW"); use ${known}.`,
    })
  }
  if (codec !== 'zstd') {
    throw new ConfigurationError({
      code: 'COMPRESSION_UNKNOWN',
      message: `Parquet cannot be written with ${JSON.stringify(compression) ?? String(compression)}: use ${known}.`,
    })
  }
  if (typeof level === 'number' && Number.isInteger(level) && level >= 1 && level <= greatestZstdLevel)
    return level
  throw new ConfigurationError({
    code: 'COMPRESSION_LEVEL_INVALID',
    message: `The level of zstd is a whole number from 1 to ${greatestZstdLevel}, not ${String(level)}.`,
  })
}
