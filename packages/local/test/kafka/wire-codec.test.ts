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
