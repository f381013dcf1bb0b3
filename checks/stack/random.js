/** Numbers that follow from a seed (mulberry32), so that a run can be had again. */
export class Random {
  #state

  constructor(seed) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 up to, and without, `end`. */
  below(end) {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end)
  }

  chance(probability) {
    return this.below(1_000_000) < probability * 1_000_000
  }

  pick(choices) {
    return choices[this.below(choices.length)]
  }

  bytes(length) {
    const bytes = Buffer.allocUnsafe(length)
    for (let index = 0; index < length; index++) bytes[index] = this.below(256)
    return bytes
  }
}

/** The seed given on the command line, or a new one; printed, so that a failure can be had again. */
export const seedFrom = (argument) => {
  const seed = argument === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(argument)
  if (!Number.isSafeInteger(seed)) throw new Error(`the seed is a whole number, not '${argument}'`)
  console.log(`seed ${seed}`)
  return seed
}
