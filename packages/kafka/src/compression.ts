import { gzipSync } from 'node:zlib'
import { ConfigurationError } from '@stockpipe/core'
import kafkajs from 'kafkajs'
import { loadZstd } from './zstd.ts'

/** Codecs of record batches. `snappy` and `lz4` are those registered with kafkajs. */
export type CompressionName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** What turns the records of a batch into fewer bytes. */
export interface BatchCompression {
  /** Its number in the attributes of a record batch. */
  readonly codec: number
  compress(records: Buffer): Uint8Array | Promise<Uint8Array>
}

const codecs: Readonly<Record<CompressionName, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

/**
 * Makes a codec ready. zstd and gzip come with this package; kafkajs is not touched.
 * Throws a `ConfigurationError` `COMPRESSION_UNKNOWN`, or `COMPRESSION_MISSING` for a codec nobody registered.
 */
export const batchCompression = async (name: CompressionName): Promise<BatchCompression> => {
  const codec = codecs[name]
  if (codec === undefined) {
    throw new ConfigurationError({
      code: 'COMPRESSION_UNKNOWN',
      message: `There is no compression ${JSON.stringify(name)}: choose from ${Object.keys(codecs).join(', ')}.`,
    })
  }
  if (name === 'none') return { codec, compress: (records) => records }
  if (name === 'gzip') return { codec, compress: (records) => gzipSync(records) }
  if (name === 'zstd') {
    const { compress } = await loadZstd()
    return { codec, compress }
  }
  const registered = kafkajs.CompressionCodecs as unknown as Record<number, () => KafkajsCodec>
  try {
    const { compress } = registered[codec]!()
    return { codec, compress: (records) => compress({ buffer: records }) }
  } catch (cause) {
    throw new ConfigurationError({
      code: 'COMPRESSION_MISSING',
      message: `Compression ${name} needs a codec in CompressionCodecs of kafkajs; zstd and gzip need none.`,
      cause,
      facts: { compression: name },
    })
  }
}

interface KafkajsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
}
