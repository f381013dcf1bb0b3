import { blockMemory } from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ResponseReader } from '../src/response-reader.ts'

const response = (bytes: number, fill = 1): Buffer => {
  const whole = Buffer.alloc(4 + bytes, fill)
  whole.writeInt32BE(bytes)
  return whole
}

/** Has a reader take a stream, so many bytes at a time as it has room and as are there. */
const readAll = (stream: Buffer, cuts: readonly number[]): Buffer[] => {
  const responses: Buffer[] = []
  const reader = new ResponseReader((whole) => void responses.push(whole))
  for (let at = 0, cut = 0; at < stream.length; cut++) {
    const room = reader.room()
    expect(room.length).toBeGreaterThan(0)
    const bytes = stream.copy(room, 0, at, at + Math.max(1, cuts[cut % cuts.length]!))
    reader.written(bytes)
    at += bytes
  }
  return responses
}

describe('responses of a connection', () => {
  it('come whole and as they were sent, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 60_000, max: 300_000 })), {
          maxLength: 6,
        }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 400_000 })), {
          minLength: 1,
          maxLength: 5,
        }),
        (sizes, cuts) => {
          const sent = sizes.map((bytes, index) => response(bytes, index + 1))
          const most = Math.max(...cuts)
          const stream = Buffer.concat(sent)
          // Single bytes of large streams take long and show nothing more.
          fc.pre(stream.length < 5000 || most > 1000)
          const read = readAll(stream, [...cuts, most])
          expect(read.map(({ length }) => length)).toEqual(sent.map(({ length }) => length))
          expect(Buffer.concat(read).equals(stream)).toBe(true)
        },
      ),
    )
  })

  it('are read to lent memory where they are large, which is not lent again before it is given back', () => {
    const [first, second] = readAll(Buffer.concat([response(100_000, 1), response(100_000, 2)]), [70_000])
    expect(blockMemory.hasLent(first!.buffer)).toBe(true)
    expect(second!.buffer).not.toBe(first!.buffer)
    blockMemory.give(first!.buffer)
    const [third] = readAll(response(100_000, 3), [70_000])
    expect(third!.buffer).toBe(first!.buffer)
    expect(second!.equals(response(100_000, 2))).toBe(true)
  })

  it('take no memory for what has not come: what is not Kafka may begin like a response of a gigabyte', () => {
    const reader = new ResponseReader(() => expect.unreachable())
    const text = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')
    text.copy(reader.room())
    const before = process.memoryUsage().arrayBuffers
    reader.written(text.length)
    reader.room()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024)
  })

  it('of more than is credible at first come whole all the same', () => {
    const large = response(40 * 1024 * 1024, 5)
    large.writeInt32BE(7, 30_000_000)
    const [whole] = readAll(large, [8 * 1024 * 1024])
    expect(whole!.equals(large)).toBe(true)
  })
})
