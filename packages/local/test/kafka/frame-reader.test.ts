import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameReader, maxFrameBytes } from '../../src/kafka/network/frame-reader.ts'
import { MalformedFrameError } from '../../src/kafka/protocol/wire-reader.ts'

const framed = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

test('frames come out whole however the stream was cut', () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 })
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.map(framed))
      const reader = new FrameReader()
      const received: Buffer[] = []
      for (let position = 0, turn = 0; position < stream.length; turn++) {
        const end = position + cuts[turn % cuts.length]!
        received.push(...reader.push(stream.subarray(position, end)))
        position = end
      }
      expect(received.map((frame) => [...frame])).toEqual(sent.map((frame) => [...frame]))
    }),
  )
})

test('a length that is negative or above 100 MiB is refused before its bytes arrive', () => {
  const header = (length: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(length)
    return bytes
  }
  expect(() => new FrameReader().push(header(-1))).toThrow(MalformedFrameError)
  expect(() => new FrameReader().push(header(maxFrameBytes + 1))).toThrow(MalformedFrameError)
  expect(new FrameReader().push(header(maxFrameBytes))).toEqual([])
})

test('a large frame in small chunks takes time in proportion to its size', () => {
  const reader = new FrameReader()
  const stream = framed(Buffer.alloc(32 * 1024 * 1024))
  const startedMillis = performance.now()
  let frames: Buffer[] = []
  for (let position = 0; position < stream.length; position += 4096) {
    frames = reader.push(stream.subarray(position, position + 4096))
  }
  expect(frames[0]!.length).toBe(32 * 1024 * 1024)
  // Copying all that came before for each of the 8,192 chunks would move 128 GiB.
  expect(performance.now() - startedMillis).toBeLessThan(5000)
})
