const multiplier = 0x5bd1e995

/** The 32-bit murmur2 hash of Kafka's Java client, signed as there. */
export const murmur2 = (bytes: Uint8Array): number => {
  const { length } = bytes
  let hash = 0x9747b28c ^ length
  const whole = length & ~3
  for (let index = 0; index < whole; index += 4) {
    let word =
      bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24)
    word = Math.imul(word, multiplier)
    word = Math.imul(word ^ (word >>> 24), multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  const rest = length - whole
  if (rest >= 3) hash ^= bytes[whole + 2]! << 16
  if (rest >= 2) hash ^= bytes[whole + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[whole]!, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

/** The partition Kafka's Java client chooses for a record key. */
export const partitionOfKey = (key: Uint8Array, partitions: number): number =>
  (murmur2(key) & 0x7fff_ffff) % partitions
