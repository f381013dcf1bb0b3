import { type DeadLetter, StockpipeError } from '@stockpipe/core'

interface StoredRow {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: unknown
  readonly timestamp_millis: bigint
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: string | null
  readonly column: string | null
  readonly reason: string
  readonly fingerprint: string
}

/**
 * The records of a dead-letter file, by offset. What reads it is loaded now: it is large, and few processes need it.
 *
 * Rejects with a `StockpipeError` `DEAD_LETTERS_DAMAGED` for anything else.
 */
export const readDeadLetterFile = async (bytes: Uint8Array, key: string): Promise<readonly DeadLetter[]> => {
  const [{ tableFromIPC }, { readParquet }] = await Promise.all([
    import('apache-arrow'),
    import('parquet-wasm/node'),
  ])
  try {
    const rows = tableFromIPC(readParquet(bytes).intoIPCStream())
    return Array.from(rows, (row) => {
      const { timestamp: _, timestamp_millis, headers, ...record } = row!.toJSON() as unknown as StoredRow
      return {
        ...record,
        timestampMillis: Number(timestamp_millis),
        headers: headers === null ? [] : headersOf(headers),
      }
    })
  } catch (cause) {
    throw new StockpipeError({
      code: 'DEAD_LETTERS_DAMAGED',
      message: `${key} cannot be read as a file of dead letters: ${cause instanceof Error ? cause.message : String(cause)}. stockpipe verify tells whether it was changed.`,
      cause,
      facts: { key },
    })
  }
}

const headersOf = (text: string): DeadLetter['headers'] => {
  const headers = JSON.parse(text) as readonly { readonly key: string; readonly value: string | null }[]
  return headers.map(({ key, value }) => [key, value === null ? null : Buffer.from(value, 'base64')])
}
