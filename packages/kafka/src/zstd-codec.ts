import { StockpipeError } from '@stockpipe/core'
import kafkajs from 'kafkajs'

/** zstd by WebAssembly: nothing to compile, and the same on every Node.js. */
export interface Zstd {
  compress(bytes: Uint8Array): Uint8Array
  /** Throws a `StockpipeError` `ZSTD_CORRUPT` for what is no whole zstd frame, or above 1 GiB. */
  decompress(bytes: Uint8Array): Uint8Array
}

/** Fast, and within a few percent of the default level on JSON records. */
const level = 1
const largestBytes = 1024 ** 3

let loaded: Promise<Zstd> | undefined

/** Loads the codec once a process. */
export const loadZstd = (): Promise<Zstd> => {
  loaded ??= load()
  return loaded
}

const load = async (): Promise<Zstd> => {
  const { init, compress, decompress } = await import('@bokuweb/zstd-wasm')
  await init()
  return {
    compress: (bytes) => compress(bytes, level),
    decompress: (bytes) => {
      // Frames of clients that stream do not say how large they are inside.
      let room = Math.max(1024 * 1024, bytes.length * 8)
      for (;;) {
        try {
          return decompress(Buffer.from(bytes), { defaultHeapSize: room })
        } catch (cause) {
          room *= 4
          if (room <= largestBytes && !saysItsSize(bytes)) continue
          throw new StockpipeError({
            code: 'ZSTD_CORRUPT',
            message: `${bytes.length} bytes are no whole zstd frame, or hold more than ${largestBytes} bytes.`,
            cause,
          })
        }
      }
    },
  }
}

/** Whether the header of a frame carries the size of its content. */
const saysItsSize = (bytes: Uint8Array): boolean => {
  const descriptor = bytes[4] ?? 0
  return descriptor >> 6 !== 0 || (descriptor & 0x20) !== 0
}

type CodecTable = Record<number, () => unknown>

/**
 * Lets kafkajs read and write zstd, which it cannot by itself. A codec you registered stays as it is.
 *
 * `runConsumer` does this for its own kafkajs; call it for consumers you make yourself, with the `CompressionCodecs` of
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
