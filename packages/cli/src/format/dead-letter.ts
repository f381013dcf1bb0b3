import type { DeadLetter } from '@stockpipe/core'
import { visible } from './table.ts'

/** A value is cut here; JSON has it whole. */
const longestText = 2_000

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The bytes as text, where they are UTF-8. */
const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** ISO 8601, or milliseconds where the producer's number is no time. */
const timeText = (millis: number): string =>
  Math.abs(millis) <= 8.64e15 ? new Date(millis).toISOString() : `${millis} ms`

const cut = (text: string): string =>
  text.length > longestText ? `${text.slice(0, longestText)}… (${text.length} characters)` : text

/** Bytes for people: as text, or as hex where they are none. */
const shown = (bytes: Uint8Array | null): string => {
  if (bytes === null) return 'null'
  const text = textOf(bytes)
  return cut(text === undefined ? `0x${Buffer.from(bytes).toString('hex')}` : visible(text))
}

/** A record that is no row, for people. */
export const formatDeadLetter = (deadLetter: DeadLetter): string => {
  const { topic, partition, offset, timestampMillis, column, reason, key, value, headers } = deadLetter
  const lines = [
    `${topic}-${partition} offset ${offset}, ${timeText(timestampMillis)}`,
    `  reason: ${visible(reason)}`,
    ...(column === null ? [] : [`  column: ${column}`]),
    `  key: ${shown(key)}`,
    ...headers.map(([name, bytes]) => `  header ${visible(name)}: ${shown(bytes)}`),
    `  value: ${shown(value)}`,
  ]
  return `${lines.join('\n')}\n`
}

/** Bytes for programs, without loss. */
const json = (bytes: Uint8Array | null) => {
  if (bytes === null) return null
  const text = textOf(bytes)
  return text === undefined ? { base64: Buffer.from(bytes).toString('base64') } : { text }
}

/** A record that is no row as one line of JSON; bytes are `{"text"}`, `{"base64"}` where they are not UTF-8, or null. */
export const deadLetterJson = ({
  offset,
  timestampMillis,
  key,
  value,
  headers,
  ...rest
}: DeadLetter): string =>
  `${JSON.stringify({
    ...rest,
    offset: offset.toString(),
    timestamp: timeText(timestampMillis),
    key: json(key),
    value: json(value),
    headers: headers.map(([name, bytes]) => ({ name, value: json(bytes) })),
  })}\n`
