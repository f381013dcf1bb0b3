/** Numbers at which sizes, counts and offsets go wrong. */
const edges = [0, 1, -1, -2, 127, 128, 255, 32_767, -32_768, 65_535, 2_147_483_647, -2_147_483_648]

export const edgeNumber = (random, bits) => {
  const limit = 2 ** (Math.min(bits, 48) - 1)
  const edge = random.chance(0.7) ? random.pick(edges) : random.below(1_000)
  return Math.max(-limit, Math.min(limit - 1, edge))
}

/** Names that would leave a directory, or end a C string, if they were taken for paths. */
export const escapingNames = [
  '../x',
  '../../../escaped',
  '..',
  '.',
  '',
  '/escaped',
  '/tmp/../escaped',
  '..\\..\\escaped',
  'C:\\escaped',
  'a/../../../../escaped',
  'a\u0000/../../escaped',
  'con',
  'nul.txt',
  'a//b',
  'x'.repeat(249),
  'x'.repeat(1_100),
  'é\u202e😀',
  '%2e%2e%2fescaped',
]

/** Flips, overwrites, inserts, cuts or repeats bytes, one to three times. */
export const mutateBytes = (random, original) => {
  let bytes = Buffer.from(original)
  for (let count = 1 + random.below(3); count > 0; count--) {
    const at = random.below(bytes.length + 1)
    const kind = random.below(6)
    if (kind === 0 && at < bytes.length) bytes[at] ^= 1 << random.below(8)
    else if (kind === 1 && at < bytes.length) bytes[at] = random.below(256)
    else if (kind === 2 && at + 4 <= bytes.length) bytes.writeInt32BE(edgeNumber(random, 32), at)
    else if (kind === 3) {
      bytes = Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(12)), bytes.subarray(at)])
    } else if (kind === 4) {
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(12))])
    } else if (kind === 5) {
      const piece = bytes.subarray(at, at + random.below(40))
      bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)])
    }
  }
  return bytes
}

/** Puts another value in place of one of the leaves of a JSON value. */
export const mutateJson = (random, value) => {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.8)) {
    const at = random.below(value.length)
    return value.map((item, index) => (index === at ? mutateJson(random, item) : item))
  }
  const names = value !== null && typeof value === 'object' ? Object.keys(value) : []
  if (names.length > 0 && random.chance(0.9)) {
    const name = random.pick(names)
    return { ...value, [name]: mutateJson(random, value[name]) }
  }
  return random.pick([
    null,
    true,
    [],
    {},
    '',
    -1,
    1e308,
    '__proto__',
    'a'.repeat(300),
    random.pick(escapingNames),
    [[[]]],
    { constructor: 1 },
    typeof value === 'string' ? mutateBytes(random, value).toString() : value,
  ])
}
