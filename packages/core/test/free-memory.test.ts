import { expect, test } from 'vitest'
import { freeMemory } from '../src/index.ts'

test('bytes that are freed are gone at once, without a garbage collection', async () => {
  // The first ones wait until the port they are sent to is closed.
  freeMemory(new Uint8Array(1))
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate)
  const before = process.memoryUsage().arrayBuffers
  const bytes = new Uint8Array(64 * 1024 * 1024)
  expect(process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(before + bytes.length)
  freeMemory(bytes)
  expect(bytes.length).toBe(0)
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(before + 32 * 1024 * 1024)
})

test('bytes that share their buffer with others stay', () => {
  const whole = new Uint8Array([1, 2, 3])
  freeMemory(whole.subarray(1))
  expect([...whole]).toEqual([1, 2, 3])
})
