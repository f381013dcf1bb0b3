import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Api, apiTable } from '../../src/kafka/protocol/api-table.ts'
import { MalformedFrameError, WireReader } from '../../src/kafka/protocol/wire-reader.ts'
import {
  arrayOf,
  between,
  boolean,
  int8,
  int16,
  int32,
  int64,
  nullableArrayOf,
  nullableBytes,
  nullableString,
  since,
  string,
  struct,
  type WireType,
} from '../../src/kafka/protocol/wire-types.ts'
import { WireWriter } from '../../src/kafka/protocol/wire-writer.ts'

const everything = struct({
  flag: boolean,
  tiny: int8,
  small: int16,
  middle: int32,
  large: int64,
  name: string,
  maybeName: nullableString,
  data: nullableBytes,
  children: arrayOf(struct({ id: int32 })),
  maybeIds: nullableArrayOf(int64),
})

const values = fc.record({
  flag: fc.boolean(),
  tiny: fc.integer({ min: -128, max: 127 }),
  small: fc.integer({ min: -32768, max: 32767 }),
  middle: fc.integer(),
  large: fc.maxSafeInteger(),
  name: fc.string({ unit: 'grapheme' }),
  maybeName: fc.option(fc.string()),
  data: fc.option(fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes))),
  children: fc.array(fc.record({ id: fc.integer() })),
  maybeIds: fc.option(fc.array(fc.maxSafeInteger())),
})

const encode = (value: Parameters<typeof everything.write>[1]): Buffer => {
  const writer = new WireWriter(16)
  everything.write(writer, value, 0)
  return Buffer.concat(writer.finish())
}

test('every wire type reads back what it wrote', () => {
  fc.assert(
    fc.property(values, (value) => {
      const reader = new WireReader(encode(value))
      expect(everything.read(reader, 0)).toEqual(value)
      expect(reader.remaining).toBe(0)
    }),
  )
})

test('a frame cut anywhere is malformed, never read beyond its end', () => {
  fc.assert(
    fc.property(values, fc.nat(), (value, cut) => {
      const bytes = encode(value)
      const reader = new WireReader(bytes.subarray(0, cut % bytes.length))
      expect(() => everything.read(reader, 0)).toThrow(MalformedFrameError)
    }),
  )
})

test('int64 beyond 2^53 is clamped in both directions', () => {
  const read = (hex: string) => new WireReader(Buffer.from(hex, 'hex')).int64()
  expect(read('7fffffffffffffff')).toBe(Number.MAX_SAFE_INTEGER)
  expect(read('8000000000000000')).toBe(Number.MIN_SAFE_INTEGER)
  expect(read('ffffffffffffffff')).toBe(-1)
})

test('a field outside of its versions is neither read nor written', () => {
  const type = struct({ always: int8, later: since(2, int8, -7), earlier: between(0, 1, int8, -8) })
  const bytesOf = (version: number) => {
    const writer = new WireWriter()
    type.write(writer, { always: 1, later: 2, earlier: 3 }, version)
    return Buffer.concat(writer.finish())
  }
  expect([...bytesOf(0)]).toEqual([1, 3])
  expect([...bytesOf(2)]).toEqual([1, 2])
  expect(type.read(new WireReader(Buffer.from([1, 3])), 0)).toEqual({ always: 1, later: -7, earlier: 3 })
  expect(type.read(new WireReader(Buffer.from([1, 2])), 2)).toEqual({ always: 1, later: 2, earlier: -8 })
})

test('random bytes decode or are malformed, for every API and version', () => {
  const apis: Api<unknown, unknown>[] = Object.values(apiTable)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      for (const api of apis) {
        for (let version = api.minVersion; version <= api.maxVersion; version++) {
          try {
            api.request.read(new WireReader(Buffer.from(bytes)), version)
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedFrameError)
          }
        }
      }
    }),
  )
})

const bytesOf = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(
    parts.map((part) => {
      if (typeof part !== 'string') return Buffer.from(part)
      return Buffer.concat([Buffer.from([0, Buffer.byteLength(part)]), Buffer.from(part)])
    }),
  )
const [one, minusOne] = [
  [0, 0, 0, 1],
  [255, 255, 255, 255],
]
const long = (value: number) => [0, 0, 0, 0, 0, 0, 0, value]
const decode = <Value>(type: WireType<Value>, bytes: Buffer, version: number): Value => {
  const reader = new WireReader(bytes)
  const value = type.read(reader, version)
  expect(reader.remaining).toBe(0)
  return value
}
const written = <Value>(type: WireType<Value>, value: Value, version: number): Buffer => {
  const writer = new WireWriter()
  type.write(writer, value, version)
  return Buffer.concat(writer.finish())
}

test('OffsetForLeaderEpoch v3 has the replica in front, v2 has not', () => {
  const rest = bytesOf(one, 't', one, [0, 0, 0, 5], [0, 0, 0, 6], [0, 0, 0, 7])
  const topics = [{ name: 't', partitions: [{ partition: 5, currentLeaderEpoch: 6, leaderEpoch: 7 }] }]
  const { request, response } = apiTable.offsetForLeaderEpoch
  expect(decode(request, Buffer.concat([Buffer.from(minusOne), rest]), 3)).toEqual({ replicaId: -1, topics })
  expect(decode(request, rest, 2)).toEqual({ replicaId: -2, topics })
  const partitions = [{ errorCode: 3, partition: 5, leaderEpoch: 7, endOffset: 9 }]
  expect(written(response, { topics: [{ name: 't', partitions }] }, 3)).toEqual(
    bytesOf([0, 0, 0, 0], one, 't', one, [0, 3], [0, 0, 0, 5], [0, 0, 0, 7], long(9)),
  )
})

test('IncrementalAlterConfigs v0 has an operation between name and value', () => {
  const bytes = bytesOf(one, [2], 't', one, 'retention.ms', [1], [255, 255], [1])
  expect(decode(apiTable.incrementalAlterConfigs.request, bytes, 0)).toEqual({
    resources: [
      {
        resourceType: 2,
        resourceName: 't',
        configs: [{ name: 'retention.ms', operation: 1, value: null }],
      },
    ],
    validateOnly: true,
  })
})

test('OffsetCommit v7 has the instance and a leader epoch, and no retention', () => {
  const head = bytesOf('g', one, 'm', 'i')
  const bytes = Buffer.concat([head, bytesOf(one, 't', one, [0, 0, 0, 2], long(3), [0, 0, 0, 4], 'x')])
  expect(decode(apiTable.offsetCommit.request, bytes, 7)).toEqual({
    groupId: 'g',
    generationId: 1,
    memberId: 'm',
    groupInstanceId: 'i',
    retentionMillis: -1,
    topics: [{ name: 't', partitions: [{ partition: 2, offset: 3, leaderEpoch: 4, metadata: 'x' }] }],
  })
})

test('OffsetFetch v5 answers a leader epoch between offset and metadata', () => {
  const partitions = [{ partition: 2, offset: 3, leaderEpoch: 4, metadata: 'x', errorCode: 0 }]
  expect(written(apiTable.offsetFetch.response, { topics: [{ name: 't', partitions }] }, 5)).toEqual(
    bytesOf([0, 0, 0, 0], one, 't', one, [0, 0, 0, 2], long(3), [0, 0, 0, 4], 'x', [0, 0], [0, 0]),
  )
})

test('Produce v8 answers the errors of records and a message after the log start offset', () => {
  const partition = { partition: 2, errorCode: 87, baseOffset: 3, logAppendTime: 4, logStartOffset: 5 }
  const recordErrors = [{ batchIndex: 6, errorMessage: 'bad' }]
  const answer = {
    topics: [{ name: 't', partitions: [{ ...partition, recordErrors, errorMessage: 'all' }] }],
  }
  const head = bytesOf(one, 't', one, [0, 0, 0, 2], [0, 87], long(3), long(4), long(5))
  const errors = bytesOf(one, [0, 0, 0, 6], 'bad', 'all')
  const throttle = Buffer.alloc(4)
  expect(written(apiTable.produce.response, answer, 8)).toEqual(Buffer.concat([head, errors, throttle]))
  expect(written(apiTable.produce.response, answer, 7)).toEqual(Buffer.concat([head, throttle]))
})

test('Metadata v10 is flexible: compact lengths, tagged fields, and the id of each topic', () => {
  const reader = new WireReader(
    Buffer.from([2, ...Array.from({ length: 16 }, () => 0), 2, 116, 1, 7, 1, 9, 1, 0, 0, 0]),
  )
  reader.isFlexible = true
  expect(apiTable.metadata.request.read(reader, 10)).toMatchObject({
    topics: ['t'],
    includeClusterAuthorizedOperations: false,
  })
  expect(reader.remaining).toBe(0)
  const topicId = 'AQIDBAUGBwgJCgsMDQ4PEA'
  const answer = {
    brokers: [{ nodeId: 1, host: 'h', port: 258 }],
    clusterId: 'c'.repeat(200),
    controllerId: 1,
    topics: [{ errorCode: 0, name: 't', topicId, partitions: [] }],
  }
  const writer = new WireWriter()
  writer.isFlexible = true
  apiTable.metadata.response.write(writer, answer, 10)
  const id = Array.from({ length: 16 }, (_, index) => index + 1)
  expect(Buffer.concat(writer.finish())).toEqual(
    Buffer.concat([
      bytesOf([0, 0, 0, 0], [2], one, [2, 104], [0, 0, 1, 2], [0, 0], [201, 1]),
      Buffer.from('c'.repeat(200)),
      bytesOf(one, [2], [0, 0], [2, 116], id, [0, 1], [128, 0, 0, 0, 0], [128, 0, 0, 0, 0]),
    ]),
  )
})

test('Metadata v8 answers leader epochs, offline replicas, and the operations nobody asked for', () => {
  const notAsked = [128, 0, 0, 0]
  const partitions = [
    { errorCode: 0, partition: 2, leaderId: 1, leaderEpoch: 0, replicas: [1], inSyncReplicas: [1] },
  ]
  const answer = {
    brokers: [{ nodeId: 1, host: 'h', port: 258 }],
    clusterId: 'c',
    controllerId: 1,
    topics: [{ errorCode: 0, name: 't', partitions }],
  }
  const none = [0, 0, 0, 0]
  expect(written(apiTable.metadata.response, answer, 8)).toEqual(
    Buffer.concat([
      bytesOf(none, one, one, 'h', [0, 0, 1, 2], [255, 255], 'c', one),
      bytesOf(one, [0, 0], 't', [0], one, [0, 0], [0, 0, 0, 2], one, none, one, one, one, one, none),
      bytesOf(notAsked, notAsked),
    ]),
  )
})
