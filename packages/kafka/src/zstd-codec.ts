import kafkajs from 'kafkajs'
import { loadZstd } from './zstd.ts'

type CodecTable = Record<number, () => unknown>

/**
 * Lets kafkajs read and write zstd, which it cannot by itself. A codec you registered stays as it is.
 *
 * `runConsumer` does this where it reads messages one by one; call it for consumers you make yourself, with the `CompressionCodecs` of
 * your kafkajs when it is another copy than ours.
 */
export const registerZstd = (table: object = kafkajs.CompressionCodecs): void => {
  const codecs = table as CodecTable
  const registered = codecs[kafkajs.CompressionTypes.ZSTD]
  try {
    registered?.()
    if (registered) return
  } catch {
    // The place holder of kafkajs throws that it is not implemented.
  }
  codecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: async ({ buffer }: { readonly buffer: Buffer }) =>
      Buffer.from((await loadZstd()).compress(buffer)),
    decompress: async (bytes: Buffer) => Buffer.from((await loadZstd()).decompress(bytes)),
  })
}
