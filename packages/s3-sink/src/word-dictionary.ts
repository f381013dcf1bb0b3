/** Values looked at before it is judged whether they repeat. */
const sample = 1024
/** So many distinct ones among those are too many. */
const manyOfSample = 768

const scratch = { slots: new Int32Array(0), codes: new Int32Array(0), entries: new Int32Array(0) }

const reserve = (name: keyof typeof scratch, length: number): Int32Array => {
  if (scratch[name].length < length) scratch[name] = new Int32Array(length)
  return scratch[name]
}

/** Distinct values of 4 or 8 bytes, numbered in the order of their first appearance. */
export const WordDictionary = {
  /**
   * @param width words a value: 1 or 2
   * @returns codes and distinct values in memory that is used again at the next call; undefined when more than half of
   * the values are distinct
   */
  of(
    words: Int32Array,
    width: 1 | 2,
  ): { readonly codes: Int32Array; readonly entries: Int32Array } | undefined {
    const count = words.length / width
    const limit = count >> 1
    const capacity = 1 << (32 - Math.clz32(Math.max(15, count)))
    const slots = reserve('slots', capacity)
    slots.fill(0, 0, capacity)
    const codes = reserve('codes', count)
    const entries = reserve('entries', (limit + 1) * width)
    const found =
      width === 1
        ? ofOne(words, limit, capacity, slots, codes, entries)
        : ofTwo(words, limit, capacity, slots, codes, entries)
    if (found < 0) return undefined
    return { codes: codes.subarray(0, count), entries: entries.slice(0, found * width) }
  },

  /** Memory kept for the next call. */
  get capacityBytes(): number {
    return scratch.slots.byteLength + scratch.codes.byteLength + scratch.entries.byteLength
  },
}

const ofTwo = (
  words: Int32Array,
  limit: number,
  capacity: number,
  slots: Int32Array,
  codes: Int32Array,
  entries: Int32Array,
): number => {
  const mask = capacity - 1
  const count = words.length >> 1
  let found = 0
  let [lastLow, lastHigh, lastCode] = [0, 0, -1]
  for (let value = 0; value < count; value += 1) {
    const low = words[value * 2]!
    const high = words[value * 2 + 1]!
    if (low === lastLow && high === lastHigh && lastCode >= 0) {
      codes[value] = lastCode
      continue
    }
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)
    hash ^= hash >>> 15
    let slot = hash & mask
    let entry = slots[slot]!
    while (entry !== 0 && (entries[entry * 2 - 2] !== low || entries[entry * 2 - 1] !== high)) {
      slot = (slot + 1) & mask
      entry = slots[slot]!
    }
    if (entry === 0) {
      if (found === limit || (found === manyOfSample && value < sample)) return -1
      entries[found * 2] = low
      entries[found * 2 + 1] = high
      found += 1
      slots[slot] = found
      entry = found
    }
    codes[value] = entry - 1
    lastLow = low
    lastHigh = high
    lastCode = entry - 1
  }
  return found
}

const ofOne = (
  words: Int32Array,
  limit: number,
  capacity: number,
  slots: Int32Array,
  codes: Int32Array,
  entries: Int32Array,
): number => {
  const mask = capacity - 1
  let found = 0
  for (let value = 0; value < words.length; value += 1) {
    const word = words[value]!
    let hash = Math.imul(word, 0x9e3779b1)
    hash ^= hash >>> 15
    let slot = hash & mask
    let entry = slots[slot]!
    while (entry !== 0 && entries[entry - 1] !== word) {
      slot = (slot + 1) & mask
      entry = slots[slot]!
    }
    if (entry === 0) {
      if (found === limit || (found === manyOfSample && value < sample)) return -1
      entries[found] = word
      found += 1
      slots[slot] = found
      entry = found
    }
    codes[value] = entry - 1
  }
  return found
}
