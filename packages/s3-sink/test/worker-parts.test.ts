import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSmallPartsEngine } from '../src/engine.ts'
import type { PartResponse } from '../src/engine-host.ts'
import type { EngineOptions } from '../src/engine-messages.ts'
import { WorkerEngine } from '../src/worker-engine.ts'
import type { WorkerRequest } from '../src/worker-messages.ts'
import { blockOf } from './engine/record-blocks.ts'
import { Chance } from './model/chance.ts'
import { ModelThread } from './model/model-thread.ts'
import { ProcessClock, WorldTime } from './model/world-time.ts'
import { settle } from './sink/manual-runtime.ts'

const table = defineTable('ticks', {
  columns: { symbol: t.string(), price: t.double() },
  partitions: { ticker: identity('symbol') },
})
const topic = defineTopic('ticks', { table, partitions: 2 }).toJSON()
const { signal } = new AbortController()
const block = (first: number, rows: number, partition = 0) =>
  blockOf(
    'ticks',
    Array.from({ length: rows }, (_, index) => ({
      offset: BigInt(first + index),
      value: { symbol: 'A', price: (first + index) / 7 },
    })),
    { partition },
  )

describe('parts that a worker answers to a block', () => {
  const time = new WorldTime()
  let passing: NodeJS.Timeout
  beforeEach(() => {
    passing = setInterval(() => time.fireNext(), 0)
  })
  afterEach(() => clearInterval(passing))

  const engineInWorker = () => {
    const asked: WorkerRequest['kind'][] = []
    const clock = new ProcessClock(time, new Chance(1))
    clock.crashRate = 0
    const make = (options: EngineOptions) =>
      createSmallPartsEngine({ ...options, partBytes: 300, rowGroupRows: 5 })
    const engine = new WorkerEngine({
      workers: 1,
      start: () => {
        const thread = new ModelThread(clock, { topic }, make)
        const post = thread.postMessage.bind(thread)
        thread.postMessage = (request, transfer) => {
          asked.push(request.kind)
          post(request, transfer)
        }
        return thread
      },
      onLost: () => {},
      onTaking: () => {},
      maxEncoderBytes: 1e9,
      leastGroups: 1,
    })
    return { engine, asked }
  }

  it('come one at a time, as they are taken, with buffers of their own', async () => {
    const { engine, asked } = engineInWorker()
    const parts: PartResponse[] = []
    const takeNext: (() => void)[] = []
    const taken = engine.take({ kind: 'block', block: block(0, 200), from: 0n }, signal, (part) => {
      parts.push(part)
      return new Promise((resolve) => takeNext.push(resolve))
    })
    await expect.poll(() => parts.length).toBe(1)
    for (let round = 0; round < 3; round += 1) await settle()
    expect([parts.length, asked]).toEqual([1, ['handle']])
    // The block is in: another log's can be taken meanwhile, and a third one's.
    const nobody = async () => {}
    await engine.take({ kind: 'block', block: block(0, 1, 1), from: 0n }, signal, nobody)
    await engine.take({ kind: 'block', block: block(1, 1, 1), from: 0n }, signal, nobody)
    const taking = setInterval(() => takeNext.shift()?.(), 0)
    const { responses } = await taken
    clearInterval(taking)
    expect(responses).toMatchObject([{ kind: 'buffered', rows: 200, bufferedRows: 200 }])
    expect(parts.length).toBeGreaterThan(4)
    expect(parts.map(({ partNumber }) => partNumber)).toEqual(parts.map((_, index) => index + 1))
    for (const { bytes } of parts) expect(bytes.buffer.byteLength).toBe(300)
    // The last part and the end came in one answer each.
    expect(asked.filter((kind) => kind === 'pull')).toHaveLength(parts.length)
    await engine.close()
  })

  it('are pulled no further when one cannot be taken, and the block is refused with the reason', async () => {
    const { engine, asked } = engineInWorker()
    const failing = engine.take({ kind: 'block', block: block(0, 200), from: 0n }, signal, async () => {
      throw new Error('no room')
    })
    await expect(failing).rejects.toThrow('no room')
    await settle()
    expect(asked).toEqual(['handle', 'return'])
    engine.discard({ topic: 'ticks', partition: 0 })
    const parts: PartResponse[] = []
    await engine.take({ kind: 'block', block: block(0, 200), from: 0n }, signal, async (part) => {
      parts.push(part)
    })
    expect(parts[0]).toMatchObject({ partNumber: 1, file: 0 })
    await engine.close()
  })
})
