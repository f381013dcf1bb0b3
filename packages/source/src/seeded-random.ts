/** A stream of chance that is the same for the same seed, on every machine. */
export interface SeededRandom {
  /** A number in [0, 1), with 32 bits of chance. */
  next(): number
  /** A whole number in [0, limit), for limits up to 2^31. */
  below(limit: number): number
}

/** FNV-1a over the UTF-16 units of a text, 32 bits. */
const hash = (text: string): number => {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  }
  return state >>> 0
}

/** The xoshiro128** generator, its state filled by splitmix32 from a text. */
export const seededRandom = (seed: string): SeededRandom => {
  let filler = hash(seed)
  const fill = (): number => {
    filler = (filler + 0x9e3779b9) | 0
    let mixed = filler ^ (filler >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  let a = fill()
  let b = fill()
  let c = fill()
  let d = fill()
  const next = (): number => {
    const product = Math.imul(b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result / 4_294_967_296
  }
  return { next, below: (limit) => Math.floor(next() * limit) }
}
