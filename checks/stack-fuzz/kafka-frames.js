import { encode, int, requestFrame } from '../stack/kafka-wire.js'
import { crc32c } from '../stack/record-batch.js'
import { edgeNumber, escapingNames, mutateBytes } from './mutation.js'

const topicNames = Array.from({ length: 12 }, (_, index) => `fuzz-${index}`)

/** Fields of requests: most as a client sends them, some at the edge of what a number or a name can be. */
const fieldsOf = (random) => {
  const isOdd = () => random.chance(0.08)
  const number = (bits, usual) => int(bits, isOdd() ? edgeNumber(random, bits) : usual)
  const name = (usual) => encode(isOdd() ? random.pick(escapingNames) : usual)
  const topic = () => name(random.pick(topicNames))
  const list = (...items) => encode([32, items.length], ...items)
  const bytes = (content) => encode([32, content.length], content)
  return { number, name, topic, list, bytes }
}

const varint = (value) => {
  const bytes = []
  let zigzag = value < 0 ? -value * 2 - 1 : value * 2
  for (; zigzag >= 128; zigzag = Math.floor(zigzag / 128)) bytes.push((zigzag % 128) | 128)
  return Buffer.from([...bytes, zigzag])
}

/** A record batch, mutated or not; its length and CRC are right again when `isSound`. */
const recordBatch = (random, isSound) => {
  const count = 1 + random.below(3)
  const records = Array.from({ length: count }, (_, index) => {
    const value = random.bytes(random.below(60))
    const record = Buffer.concat([
      int(8, 0),
      varint(0),
      varint(index),
      varint(-1),
      varint(value.length),
      value,
      varint(0),
    ])
    return Buffer.concat([varint(record.length), record])
  })
  const attributes = random.chance(0.1) ? random.below(128) : 0
  const producer = random.chance(0.15) ? random.below(50) : -1
  const checked = encode(
    [16, attributes],
    [32, count - 1],
    [64, Date.now()],
    [64, Date.now()],
    [64, producer],
    [16, Math.min(0, producer)],
    [32, Math.min(0, producer)],
    [32, count],
    ...records,
  )
  const content = random.chance(0.5) ? mutateBytes(random, checked) : checked
  const length = 9 + content.length
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(isSound ? crc32c(content) : random.below(2 ** 31))
  return encode([64, 0], [32, isSound ? length : edgeNumber(random, 32)], [32, -1], [8, 2], crc, content)
}

/** One request of each API the broker serves: `[apiKey, apiVersion, body]`. */
const requests = [
  (f, random, isSound) => [
    0,
    3,
    encode(
      [16, -1],
      f.number(16, random.pick([1, -1])),
      f.number(32, 1_000),
      f.list(encode(f.topic(), f.list(encode(f.number(32, 0), f.bytes(recordBatch(random, isSound)))))),
    ),
  ],
  (f, random, isSound) => [
    0,
    7,
    encode(
      [16, -1],
      f.number(16, -1),
      f.number(32, 1_000),
      f.list(encode(f.topic(), f.list(encode(f.number(32, 0), f.bytes(recordBatch(random, isSound)))))),
    ),
  ],
  (f, random) => [
    1,
    4,
    encode(
      [32, -1],
      f.number(32, 10),
      f.number(32, 1),
      f.number(32, 1_000_000),
      f.number(8, random.below(2)),
      f.list(
        encode(
          f.topic(),
          f.list(encode(f.number(32, 0), f.number(64, random.below(20)), f.number(32, 100_000))),
        ),
      ),
    ),
  ],
  (f) => [
    2,
    1,
    encode([32, -1], f.list(encode(f.topic(), f.list(encode(f.number(32, 0), f.number(64, -1)))))),
  ],
  (f) => [3, 4, encode(f.list(f.topic()), f.number(8, 1))],
  (f) => [
    8,
    2,
    encode(
      f.name('fuzz-group'),
      f.number(32, -1),
      f.name(''),
      f.number(64, -1),
      f.list(encode(f.topic(), f.list(encode(f.number(32, 0), f.number(64, 5), f.name('note'))))),
    ),
  ],
  (f) => [9, 1, encode(f.name('fuzz-group'), f.list(encode(f.topic(), f.list(f.number(32, 0)))))],
  (f, random) => [10, 1, encode(f.name('fuzz-group'), f.number(8, random.below(2)))],
  (f, random) => [
    11,
    1,
    encode(
      f.name(`fuzz-group-${random.below(20)}`),
      f.number(32, 6_000),
      f.number(32, 1_000),
      f.name(''),
      f.name('consumer'),
      f.list(encode(f.name('range'), f.bytes(Buffer.from('0')))),
    ),
  ],
  (f) => [12, 0, encode(f.name('fuzz-group-1'), f.number(32, 1), f.name('member'))],
  (f) => [13, 0, encode(f.name('fuzz-group-1'), f.name('member'))],
  (f) => [
    14,
    0,
    encode(
      f.name('fuzz-group-1'),
      f.number(32, 1),
      f.name('member'),
      f.list(encode(f.name('member'), f.bytes(Buffer.from('0')))),
    ),
  ],
  (f) => [15, 0, encode(f.list(f.name('fuzz-group'), f.name('fuzz-group-1')))],
  () => [16, 0, Buffer.alloc(0)],
  (_, random) => [18, random.below(3), Buffer.alloc(0)],
  (f, random) => [
    19,
    1,
    encode(
      f.list(
        encode(
          f.topic(),
          [32, 1 + random.below(3)],
          f.number(16, 1),
          f.list(),
          f.list(encode(f.name('retention.ms'), f.name('100000'))),
        ),
      ),
      f.number(32, 1_000),
      f.number(8, 0),
    ),
  ],
  (f) => [20, 0, encode(f.list(f.topic()), f.number(32, 1_000))],
  (f) => [
    21,
    0,
    encode(f.list(encode(f.topic(), f.list(encode(f.number(32, 0), f.number(64, 1))))), f.number(32, 1_000)),
  ],
  (f, random) => [22, 0, encode(f.name(`fuzz-transaction-${random.below(9)}`), f.number(32, 5_000))],
  (f) => [
    23,
    2,
    encode(f.list(encode(f.topic(), f.list(encode(f.number(32, 0), f.number(32, 0), f.number(32, 0)))))),
  ],
  (f, random) => [
    24,
    0,
    encode(
      f.name(`fuzz-transaction-${random.below(9)}`),
      f.number(64, random.below(50)),
      f.number(16, 0),
      f.list(encode(f.topic(), f.list(f.number(32, 0)))),
    ),
  ],
  (f, random) => [
    25,
    0,
    encode(
      f.name(`fuzz-transaction-${random.below(9)}`),
      f.number(64, random.below(50)),
      f.number(16, 0),
      f.name('fuzz-group'),
    ),
  ],
  (f, random) => [
    26,
    0,
    encode(
      f.name(`fuzz-transaction-${random.below(9)}`),
      f.number(64, random.below(50)),
      f.number(16, 0),
      f.number(8, random.below(2)),
    ),
  ],
  (f, random) => [
    28,
    0,
    encode(
      f.name(`fuzz-transaction-${random.below(9)}`),
      f.name('fuzz-group'),
      f.number(64, random.below(50)),
      f.number(16, 0),
      f.list(encode(f.topic(), f.list(encode(f.number(32, 0), f.number(64, 3), f.name(''))))),
    ),
  ],
  (f) => [32, 0, encode(f.list(encode(f.number(8, 2), f.topic(), [32, -1])))],
  (f) => [
    33,
    0,
    encode(
      f.list(encode(f.number(8, 2), f.topic(), f.list(encode(f.name('retention.ms'), f.name('100000'))))),
      f.number(8, 0),
    ),
  ],
  (f) => [37, 0, encode(f.list(encode(f.topic(), [32, 3], [32, -1])), f.number(32, 1_000), f.number(8, 0))],
  (f) => [42, 0, encode(f.list(f.name('fuzz-group-1')))],
  (f) => [
    44,
    0,
    encode(
      f.list(
        encode(
          f.number(8, 2),
          f.topic(),
          f.list(encode(f.name('retention.ms'), f.number(8, 0), f.name('90000'))),
        ),
      ),
      f.number(8, 0),
    ),
  ],
]

/** A frame; a sound one has the right length and checksums, whatever its fields say. */
export const makeFrame = (random, isSound) => {
  const correlationId = 1 + random.below(2 ** 31 - 2)
  const [apiKey, apiVersion, plain] = random.pick(requests)(fieldsOf(random), random, isSound)
  const hasRecords = apiKey === 0
  // Bytes of topics, counts and lengths; where there are records their own mutation keeps the checksum right.
  const body = !hasRecords && random.chance(0.35) ? mutateBytes(random, plain) : plain
  const frame = requestFrame({ apiKey, apiVersion, correlationId, body })
  return { apiKey, correlationId, frame: isSound ? frame : mutateBytes(random, frame) }
}
