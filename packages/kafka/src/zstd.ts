import { StockpipeError } from '@stockpipe/core'
import { largestInflatedBytes } from './malformed-bytes.ts'

/** zstd by WebAssembly: nothing to compile, and the same on every Node.js. */
export interface Zstd {
  compress(bytes: Uint8Array): Uint8Array
  /** Throws a `StockpipeError` `ZSTD_CORRUPT` for what is no whole zstd frame, or above 512 MiB. */
  decompress(bytes: Uint8Array): Uint8Array
}

/** Fast, and within a few percent of the default level on JSON records. */
const level = 1

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
      const frame = Buffer.from(bytes)
      const size = contentSize(frame)
      // WebAssembly would write over its own memory where it has no room for what a frame says.
      if (size === 'unknown frame' || (size !== undefined && size > largestInflatedBytes))
        throw corrupt(frame)
      // Frames of clients that stream do not say how large they are inside.
      let room = Math.min(largestInflatedBytes, Math.max(1024 * 1024, bytes.length * 8))
      for (;;) {
        try {
          return decompress(frame, { defaultHeapSize: room })
        } catch (cause) {
          const isTooSmall = size === undefined && String(cause).includes(destinationTooSmall)
          if (!isTooSmall || room === largestInflatedBytes) throw corrupt(frame, cause)
          room = Math.min(largestInflatedBytes, room * 4)
        }
      }
    },
  }
}

const destinationTooSmall = 'code -70'
const frameMagic = 0xfd2fb528

/** What the header of a frame says to be inside; undefined when it does not. */
const contentSize = (frame: Buffer): number | undefined | 'unknown frame' => {
  if (frame.length < 6) return 'unknown frame'
  if (frame.readUInt32LE(0) !== frameMagic) return 'unknown frame'
  const descriptor = frame[4]!
  const isSingleSegment = (descriptor & 0x20) !== 0
  const at = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!
  const bytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  if (frame.length < at + bytes) return 'unknown frame'
  if (bytes === 0) return undefined
  if (bytes === 8) return Number(frame.readBigUInt64LE(at))
  return frame.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
}

const corrupt = (frame: Buffer, cause?: unknown): StockpipeError =>
  new StockpipeError({
    code: 'ZSTD_CORRUPT',
    message: `${frame.length} bytes are no whole zstd frame, or hold more than ${largestInflatedBytes} bytes.`,
    cause,
  })
