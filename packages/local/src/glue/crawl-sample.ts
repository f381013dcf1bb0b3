import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** How much of a text file a crawl reads, after inflating. */
const sampleBytes = 256 * 1024

/** The beginning of a data file. */
export interface FileSample {
  readonly compression: 'none' | 'gzip'
  /** Inflated. */
  readonly bytes: Buffer
  /** The sample is the whole file. */
  readonly isWhole: boolean
}

/** Reads the beginning of a file, inflated where it is gzip. Rejects for gzip that is damaged. */
export async function readSample(filePath: string): Promise<FileSample> {
  const plain = await firstBytes(createReadStream(filePath, { end: sampleBytes }))
  if (plain[0] !== 0x1f || plain[1] !== 0x8b) return sampleOf('none', plain)
  const gunzip = createGunzip()
  // Where it fails, the iteration over gunzip tells.
  pipeline(createReadStream(filePath), gunzip, () => undefined)
  return sampleOf('gzip', await firstBytes(gunzip))
}

/** One byte more than a sample, so that it shows when there is more. */
async function firstBytes(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    length += chunk.length
    if (length > sampleBytes) break
  }
  return Buffer.concat(chunks)
}

const sampleOf = (compression: FileSample['compression'], bytes: Buffer): FileSample => ({
  compression,
  bytes: bytes.subarray(0, sampleBytes),
  isWhole: bytes.length <= sampleBytes,
})

/** The lines of a sample that are whole, without those that are empty; undefined where it is not UTF-8. */
export function wholeLines({ bytes, isWhole }: FileSample): readonly string[] | undefined {
  const end = isWhole ? bytes.length : bytes.lastIndexOf(0x0a) + 1
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end))
    // A NUL is in no text.
    return text.includes('\0') ? undefined : text.split(/\r?\n/).filter((line) => line.trim() !== '')
  } catch {
    return undefined
  }
}
