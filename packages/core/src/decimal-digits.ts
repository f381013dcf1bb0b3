/** Powers of ten that a double holds exactly. */
export const powersOfTen = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/**
 * The number that `scanDigits` read last. Significant digits are counted from the first that is not 0: the first nine
 * are `head`, the next nine `tail`, a nineteenth is `last`.
 */
export const digits = { negative: false, head: 0, tail: 0, last: 0, count: 0, fraction: 0 }

/**
 * Reads a number such as `-12.50` at `start`: where it ends, or -1 for whatever is odd (exponents, leading zeros, a
 * point without digits, more than 19 significant digits). The bytes must end in one that is no digit.
 */
export const scanDigits = (bytes: Uint8Array, start: number): number => {
  let at = start
  let digit = bytes[at]! - 48
  const negative = digit === -3
  if (negative) digit = bytes[++at]! - 48
  let head = 0
  let tail = 0
  let last = 0
  let count = 0
  if (digit === 0) {
    digit = bytes[++at]! - 48
    if (digit >= 0 && digit <= 9) return -1
  } else {
    if (!(digit > 0 && digit <= 9)) return -1
    do {
      if (count < 9) head = head * 10 + digit
      else if (count < 18) tail = tail * 10 + digit
      else if (count === 18) last = digit
      else return -1
      count += 1
      digit = bytes[++at]! - 48
    } while (digit >= 0 && digit <= 9)
  }
  let fraction = 0
  if (digit === -2) {
    const point = at
    digit = bytes[++at]! - 48
    if (!(digit >= 0 && digit <= 9)) return -1
    do {
      if (count < 9) head = head * 10 + digit
      else if (count < 18) tail = tail * 10 + digit
      else if (count === 18) last = digit
      else return -1
      if (count > 0 || digit > 0) count += 1
      digit = bytes[++at]! - 48
    } while (digit >= 0 && digit <= 9)
    fraction = at - point - 1
  }
  // An exponent.
  if (digit === 53 || digit === 21) return -1
  digits.negative = negative
  digits.head = head
  digits.tail = tail
  digits.last = last
  digits.count = count
  digits.fraction = fraction
  return at
}

/** The digits as a whole number, without sign and point; exact up to 2^53, and beyond it only known to be larger. */
export const unsignedDigits = (): number =>
  digits.count <= 9
    ? digits.head
    : digits.count <= 18
      ? digits.head * powersOfTen[digits.count - 9]! + digits.tail
      : Number.POSITIVE_INFINITY

/** Writes a whole number below 2^53, either sign, as two 32-bit words, low word first. */
export const writeWhole = (words: Int32Array, index: number, value: number): void => {
  words[index] = value
  words[index + 1] = Math.floor(value / 4_294_967_296)
}

/**
 * Writes `head * multiplier + addend` as two 32-bit words and answers true; false when it does not fit 63 bits. All are
 * whole; `head` is below 10^10, either sign, `multiplier` at most 10^10, and `addend` 0 up to `multiplier`.
 */
export const writeProduct = (
  words: Int32Array,
  index: number,
  head: number,
  multiplier: number,
  addend: number,
): boolean => {
  const sum = head * multiplier + addend
  if (sum <= Number.MAX_SAFE_INTEGER && sum >= Number.MIN_SAFE_INTEGER) {
    writeWhole(words, index, sum)
    return true
  }
  // In limbs that doubles hold exactly.
  const upper = Math.floor(head / 65_536)
  const x = upper * multiplier
  const y = (head - upper * 65_536) * multiplier + addend
  const xUpper = Math.floor(x / 65_536)
  const low = (x - xUpper * 65_536) * 65_536 + y
  const carry = Math.floor(low / 4_294_967_296)
  const high = xUpper + carry
  if (high > 2_147_483_647 || high < -2_147_483_648) return false
  words[index] = low - carry * 4_294_967_296
  words[index + 1] = high
  return true
}

/** Negates the number of `count` words at `index`. */
const negateWords = (words: Int32Array, index: number, count: number): void => {
  let carry = 1
  for (let at = index; at < index + count; at++) {
    const sum = (~words[at]! >>> 0) + carry
    words[at] = sum
    carry = sum > 0xffff_ffff ? 1 : 0
  }
}

/** Multiplies the unsigned number of four words at `index` by `factor`, at most 10^6, and adds `addend`, below 2^31. */
const multiplyWords = (words: Int32Array, index: number, factor: number, addend: number): void => {
  let carry = addend
  for (let at = index; at < index + 4; at++) {
    const product = (words[at]! >>> 0) * factor + carry
    words[at] = product
    carry = Math.floor(product / 4_294_967_296)
  }
}

/**
 * Writes the digits times `10 ** shift` as two 32-bit words, signed, and answers true; false when that is not a whole
 * number, does not fit, or is beyond what is computed here.
 */
export const writeDigits = (words: Int32Array, index: number, shift: number): boolean => {
  if (shift >= 0 && digits.count + shift <= 15) {
    const value = unsignedDigits() * powersOfTen[shift]!
    writeWhole(words, index, digits.negative ? -value : value)
    return true
  }
  return writeLongDigits(words, index, shift)
}

const writeLongDigits = (words: Int32Array, index: number, shift: number): boolean => {
  const { count, head, tail, last, negative } = digits
  if (shift < 0) {
    const divisor = powersOfTen[-shift] ?? 0
    const value = unsignedDigits()
    if (value > Number.MAX_SAFE_INTEGER || value % divisor !== 0) return false
    writeWhole(words, index, (negative ? -value : value) / divisor)
    return true
  }
  if (count + shift > 19) return false
  let written: boolean
  if (count === 19) written = writeProduct(words, index, head, 1e10, tail * 10 + last)
  else if (count > 9) {
    const scale = powersOfTen[shift]!
    written = writeProduct(words, index, head, powersOfTen[count - 9]! * scale, tail * scale)
  } else {
    const second = Math.min(shift, 9)
    written = writeProduct(words, index, head * powersOfTen[shift - second]!, powersOfTen[second]!, 0)
  }
  if (written && negative) negateWords(words, index, 2)
  return written
}

/** As `writeDigits`, as four words; the digits times `10 ** shift` are known to fit 38 digits. */
export const writeWideDigits = (words: Int32Array, index: number, shift: number): boolean => {
  const { count, head, tail, last, negative } = digits
  if (shift < 0 || count + shift <= 15) {
    if (!writeDigits(words, index, shift)) return false
    words[index + 2] = words[index + 3] = words[index + 1]! >> 31
    return true
  }
  words[index] = head
  words[index + 1] = words[index + 2] = words[index + 3] = 0
  if (count > 9) {
    const more = Math.min(count, 18) - 9
    multiplyWords(words, index, powersOfTen[Math.min(more, 5)]!, 0)
    multiplyWords(words, index, powersOfTen[Math.max(more - 5, 0)]!, tail)
  }
  if (count > 18) multiplyWords(words, index, 10, last)
  for (let left = shift; left > 0; left -= 6) multiplyWords(words, index, powersOfTen[Math.min(left, 6)]!, 0)
  if (negative) negateWords(words, index, 4)
  return true
}
