/** How deep values are skipped here; what is nested deeper is left to the exact reader. */
const deepest = 500

export const skipSpace = (bytes: Uint8Array, start: number): number => {
  let at = start
  for (;;) {
    const byte = bytes[at]
    if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) return at
    at += 1
  }
}

export const hasBackslash = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) if (bytes[at] === 92) return true
  return false
}

const isHex = (byte: number): boolean =>
  (byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 102) || (byte >= 65 && byte <= 70)

/**
 * Not 0 when one of four bytes is a quote, a backslash or a control character; words of none are skipped whole.
 */
export const endsPlainText = (word: number): number => {
  const quote = word ^ 0x22222222
  const backslash = word ^ 0x5c5c5c5c
  return (
    (((quote - 0x01010101) & ~quote) |
      ((backslash - 0x01010101) & ~backslash) |
      ((word - 0x20202020) & ~word)) &
    0x80808080
  )
}

/** Where the string that begins at `start` ends, or -1. */
export const skipString = (bytes: Uint8Array, view: DataView, start: number): number => {
  let at = start + 1
  const last = view.byteLength - 4
  for (;;) {
    while (at <= last && endsPlainText(view.getInt32(at, true)) === 0) at += 4
    const byte = bytes[at]!
    if (byte === 34) return at + 1
    if (byte < 32) return -1
    if (byte !== 92) {
      at += 1
      continue
    }
    switch (bytes[at + 1]) {
      case 34: // "
      case 47: // /
      case 92: // \
      case 98: // b
      case 102: // f
      case 110: // n
      case 114: // r
      case 116: // t
        at += 2
        continue
      case 117: // u
        for (let digit = 2; digit < 6; digit++) if (!isHex(bytes[at + digit]!)) return -1
        at += 6
        continue
      default:
        return -1
    }
  }
}

/** Where the digits that begin at `start` end; `start` itself when there are none. */
const skipDigits = (bytes: Uint8Array, start: number): number => {
  let at = start
  while (bytes[at]! >= 48 && bytes[at]! <= 57) at += 1
  return at
}

export const skipNumber = (bytes: Uint8Array, start: number): number => {
  let at = bytes[start] === 45 ? start + 1 : start
  const whole = skipDigits(bytes, at)
  if (whole === at || (bytes[at] === 48 && whole > at + 1)) return -1
  at = whole
  if (bytes[at] === 46) {
    const end = skipDigits(bytes, at + 1)
    if (end === at + 1) return -1
    at = end
  }
  if (bytes[at] === 101 || bytes[at] === 69) {
    const from = bytes[at + 1] === 43 || bytes[at + 1] === 45 ? at + 2 : at + 1
    const end = skipDigits(bytes, from)
    if (end === from) return -1
    at = end
  }
  return at
}

const skipContainer = (
  bytes: Uint8Array,
  view: DataView,
  start: number,
  depth: number,
  isObject: boolean,
): number => {
  if (depth > deepest) return -1
  const close = isObject ? 125 : 93
  let at = skipSpace(bytes, start + 1)
  if (bytes[at] === close) return at + 1
  for (;;) {
    if (isObject) {
      if (bytes[at] !== 34) return -1
      at = skipString(bytes, view, at)
      if (at < 0) return -1
      at = skipSpace(bytes, at)
      if (bytes[at] !== 58) return -1
      at = skipSpace(bytes, at + 1)
    }
    at = skipValue(bytes, view, at, depth + 1)
    if (at < 0) return -1
    at = skipSpace(bytes, at)
    if (bytes[at] === close) return at + 1
    if (bytes[at] !== 44) return -1
    at = skipSpace(bytes, at + 1)
  }
}

/** Where the JSON value that begins at `start` ends, or -1 when it is none. The bytes must end in a 0x00. */
export const skipValue = (bytes: Uint8Array, view: DataView, start: number, depth: number): number => {
  switch (bytes[start]) {
    case 34:
      return skipString(bytes, view, start)
    case 123:
      return skipContainer(bytes, view, start, depth, true)
    case 91:
      return skipContainer(bytes, view, start, depth, false)
    case 116:
      return bytes[start + 1] === 114 && bytes[start + 2] === 117 && bytes[start + 3] === 101 ? start + 4 : -1
    case 102:
      return bytes[start + 1] === 97 &&
        bytes[start + 2] === 108 &&
        bytes[start + 3] === 115 &&
        bytes[start + 4] === 101
        ? start + 5
        : -1
    case 110:
      return bytes[start + 1] === 117 && bytes[start + 2] === 108 && bytes[start + 3] === 108 ? start + 4 : -1
    default:
      return skipNumber(bytes, start)
  }
}
