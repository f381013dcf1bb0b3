import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockBuffers, blockMemory, giveBlockMemory, MemoryPool, RecordBlockBuilder } from '../src/index.ts'

describe('a memory pool', () => {
  it('gives at least what is asked for, at most a quarter more, and never to two at once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 3_000_000 }), gives: fc.boolean() })),
        (steps) => {
          const pool = new MemoryPool(4_000_000)
          const lent = new Set<ArrayBuffer>()
          for (const { bytes, gives } of steps) {
            const memory = pool.take(bytes)
            expect(lent.has(memory)).toBe(false)
            lent.add(memory)
            expect(memory.byteLength % 8).toBe(0)
            expect(memory.byteLength).toBeGreaterThanOrEqual(bytes)
            expect(memory.byteLength).toBeLessThanOrEqual(Math.max(256, bytes * 1.25 + 8))
            if (!gives) continue
            const [given] = lent
            lent.delete(given!)
            pool.give(given!)
            expect(pool.freeBytes).toBeLessThanOrEqual(4_000_000)
          }
        },
      ),
    )
  })

  it('has what is given back used again, once', () => {
    const pool = new MemoryPool(1_000_000)
    const memory = pool.take(1000)
    pool.give(memory)
    pool.give(memory)
    expect(pool.take(1000)).toBe(memory)
    expect(pool.take(1000)).not.toBe(memory)
  })

  it('takes nothing that is not its own, and nothing that has moved to another thread', () => {
    const pool = new MemoryPool(1_000_000)
    pool.give(new ArrayBuffer(1024))
    const moved = pool.take(1024)
    structuredClone(moved, { transfer: [moved] })
    pool.give(moved)
    pool.giveMoved(new ArrayBuffer(1000))
    expect(pool.freeBytes).toBe(0)
    pool.giveMoved(new ArrayBuffer(1024))
    expect(pool.freeBytes).toBe(1024)
  })

  it('lets sizes go that nobody asks for, rather than those in use', () => {
    const pool = new MemoryPool(10_000)
    for (let bytes = 1000; bytes < 9000; bytes += 1000) pool.give(pool.take(bytes))
    const memory = pool.take(4096)
    pool.give(memory)
    expect(pool.take(4096)).toBe(memory)
  })

  it('says at once what it does not keep', () => {
    const dropped: number[] = []
    const pool = new MemoryPool(10_000, ({ byteLength }) => dropped.push(byteLength))
    pool.giveMoved(new ArrayBuffer(1000))
    pool.give(pool.take(16_384))
    expect(dropped).toEqual([1000, 16_384])
    const same = Array.from({ length: 3 }, () => pool.take(4096))
    for (const memory of same) pool.give(memory)
    expect(dropped).toEqual([1000, 16_384, 4096])
    pool.give(pool.take(8192))
    expect(dropped).toEqual([1000, 16_384, 4096, 4096, 4096])
    expect(pool.freeBytes).toBe(8192)
  })
})

describe('the memory of a block', () => {
  it('goes back only as far as it was taken from there', () => {
    const builder = new RecordBlockBuilder({ topic: 'topic', partition: 0, firstOffset: 0n })
    builder.add({ offset: 0n, timestampMillis: 0, key: null, value: new Uint8Array([1]) })
    const block = builder.finish()
    const lent = [...blockBuffers(block)].filter((buffer) => blockMemory.hasLent(buffer))
    expect(lent).toContain(block.values.bytes.buffer)
    expect(lent).not.toContain(block.timestamps.buffer)
    const free = blockMemory.freeBytes
    giveBlockMemory(block)
    expect(blockMemory.freeBytes).toBe(free + lent.reduce((bytes, { byteLength }) => bytes + byteLength, 0))
    expect(lent.some((buffer) => blockMemory.hasLent(buffer))).toBe(false)
  })

  it('has each buffer once, whatever shares it', () => {
    const memory = new ArrayBuffer(64)
    const packed = {
      bytes: new Uint8Array(memory, 0, 8),
      starts: new Uint32Array(memory, 8, 1),
      lengths: new Int32Array(memory, 16, 1),
    }
    const block = {
      ...{ topic: 'topic', partition: 0, firstOffset: 0n, nextOffset: 1n, count: 1 },
      ...{ values: packed, keys: packed, headers: packed },
      timestamps: new Float64Array(memory, 24, 1),
      offsetDeltas: new Uint32Array(8),
    }
    expect(blockBuffers(block)).toEqual(new Set([memory, block.offsetDeltas.buffer]))
  })
})
