/** Header values as a Kafka client hands them over. */
export type HeaderValue = Uint8Array | string | undefined
export type RecordHeaders = Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const varint = (value: number): number[] => {
  let rest = BigInt(value) < 0n ? BigInt(value) * -2n - 1n : BigInt(value) * 2n
  const bytes: number[] = []
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return bytes
}

// kafkajs puts what every object inherits (`constructor`, `__proto__`) before the values of a header of that name.
const isValue = (value: unknown): boolean =>
  value === undefined || value === null || typeof value === 'string' || value instanceof Uint8Array

/** Headers in the encoding of the Kafka record format: a count, then key and value of each, lengths as zigzag varints. */
export const encodeHeaders = (headers: RecordHeaders): Uint8Array => {
  const pairs: [string, HeaderValue][] = []
  for (const [key, value] of Object.entries(headers)) {
    if (Array.isArray(value)) for (const one of value.filter(isValue)) pairs.push([key, one])
    else pairs.push([key, value as HeaderValue])
  }
  const parts: (readonly number[] | Uint8Array)[] = [varint(pairs.length)]
  for (const [key, value] of pairs) {
    const name = encoder.encode(key)
    parts.push(varint(name.length), name)
    const content = typeof value === 'string' ? encoder.encode(value) : value
    if (content === undefined || content === null) parts.push(varint(-1))
    else parts.push(varint(content.length), content)
  }
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const part of parts) {
    bytes.set(part, end)
    end += part.length
  }
  return bytes
}

/** Reads headers back, in order; a null value is a header without one. */
export const decodeHeaders = (bytes: Uint8Array): readonly (readonly [string, Uint8Array | null])[] => {
  let position = 0
  const readVarint = (): number => {
    let result = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[position++]
      if (byte === undefined) throw new RangeError('The headers of a record end too early.')
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    return Number((result >> 1n) ^ -(result & 1n))
  }
  const take = (length: number): Uint8Array => {
    if (position + length > bytes.length) throw new RangeError('The headers of a record end too early.')
    position += length
    return bytes.subarray(position - length, position)
  }
  const count = readVarint()
  const headers: [string, Uint8Array | null][] = []
  for (let index = 0; index < count; index++) {
    const key = decoder.decode(take(readVarint()))
    const length = readVarint()
    headers.push([key, length < 0 ? null : take(length)])
  }
  return headers
}
