import { gunzipSync } from 'node:zlib'
import { inflateLz4 } from './lz4-codec.ts'
import { largestInflatedBytes, MalformedBytesError } from './malformed-bytes.ts'
import { inflateSnappy } from './snappy-codec.ts'
import { loadZstd } from './zstd.ts'

/**
 * Inflates the records of a batch, by the number of its codec in the attributes. CPU only, so that any thread may.
 * Throws a `MalformedBytesError` for what is nothing of that codec.
 */
export type Inflate = (codec: number, bytes: Buffer) => Uint8Array

let loaded: Promise<Inflate> | undefined

/** Makes every codec of Kafka ready, once a process. */
export const loadInflate = (): Promise<Inflate> => {
  loaded ??= load()
  return loaded
}

const load = async (): Promise<Inflate> => {
  const zstd = await loadZstd()
  return (codec, bytes) => {
    switch (codec) {
      case 0:
        return bytes
      case 1:
        return passing('gzip', () => gunzipSync(bytes, { maxOutputLength: largestInflatedBytes }))
      case 2:
        return inflateSnappy(bytes)
      case 3:
        return inflateLz4(bytes)
      case 4:
        return passing('zstd', () => zstd.decompress(bytes))
      default:
        throw new MalformedBytesError(`there is no codec ${codec}`)
    }
  }
}

const passing = (codec: string, inflate: () => Uint8Array): Uint8Array => {
  try {
    return inflate()
  } catch (error) {
    throw new MalformedBytesError(`${codec}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
}
