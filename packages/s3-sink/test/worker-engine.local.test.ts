import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { blockBuffers, blockMemory, defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createSink } from '../src/sink.ts'
import type { SinkOptions } from '../src/sink-options.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { type MemoryBucket, MemoryObjectStore } from './sink/memory-object-store.ts'

/** How many cores there seem to be, while a test says so. */
const cores = vi.hoisted(() => ({ count: undefined as number | undefined }))
vi.mock('node:os', async (original) => {
  const os = await original<typeof import('node:os')>()
  return { ...os, availableParallelism: () => cores.count ?? os.availableParallelism() }
})

const ticks = defineTable('ticks', {
  columns: { id: t.int64(), symbol: t.string(), price: t.decimal(18, 4), at: t.recordOffset() },
  partitions: { ticker: identity('symbol') },
})
const topic = defineTopic('ticks', { table: ticks, partitions: 3 })
const table = ticks.at({ database: 'market', location: 's3://lake/ticks/' })
const entry = new URL('./sink/built-worker.mjs', import.meta.url)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stockpipe-worker-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const sinkOver = (store: MemoryObjectStore, options: Partial<SinkOptions> = {}) =>
  createSink({
    name: 'market',
    topic,
    table,
    store,
    workers: { count: 2, entry },
    ...options,
  })

const tickLog = (partition: number, from: number, count: number): FakeLog =>
  new FakeLog(partition, 'ticks').append(
    ...Array.from({ length: count }, (_, index) =>
      JSON.stringify({ id: from + index, symbol: ['A', 'BRK.B', 'é'][index % 3], price: `${index}.25` }),
    ),
  )

const publishedIds = async (bucket: MemoryBucket): Promise<number[]> => {
  const files = await Promise.all(
    bucket.keys('ticks/ticker=').map((key) => {
      const file = bucket.objects.get(key)!.bytes.slice().buffer as ArrayBuffer
      return parquetReadObjects({ file, columns: ['id'] })
    }),
  )
  return files
    .flat()
    .map(({ id }) => Number(id))
    .sort((left, right) => left - right)
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** The entry of a worker, which also does what is written, as JavaScript. */
const entryThat = async (name: string, code: string): Promise<URL> => {
  const file = join(folder, name)
  await writeFile(file, `${code}\nawait import(${JSON.stringify(entry.href)})`)
  return pathToFileURL(file)
}

describe('a sink with its engine in worker threads', () => {
  it('publishes the files one on its own thread does', async () => {
    const logs = numbers(3).map((partition) => tickLog(partition, partition * 500, 500))
    const files = async (workers: NonNullable<SinkOptions['workers']>) => {
      const store = new MemoryObjectStore()
      const sink = sinkOver(store, { workers })
      await consume(sink, logs)
      await sink.close()
      expect(await publishedIds(store.bucket)).toEqual(numbers(1500))
      return Promise.all(
        store.bucket.keys('ticks/ticker=').map(async (key) => {
          const file = store.bucket.objects.get(key)!.bytes.slice().buffer as ArrayBuffer
          // A key ends with a claim id by chance.
          return [key.slice(0, key.lastIndexOf('-')), await parquetReadObjects({ file })]
        }),
      )
    }
    expect(await files({ count: 2, entry })).toEqual(await files(0))
  })

  it('gives the memory of a block back whole once it is taken, from a thread as without one', async () => {
    for (const workers of [{ count: 1, entry }, 0]) {
      const sink = sinkOver(new MemoryObjectStore(), { workers })
      const log = tickLog(0, 0, 100)
      await sink.assign([log.assigned], { generation: 1 })
      const block = log.block(0n)
      const buffers = [...blockBuffers(block)].filter((buffer) => blockMemory.hasLent(buffer))
      expect(buffers).toContain(block.values.bytes.buffer)
      const { byteLength } = block.values.bytes.buffer
      const lent = buffers.reduce((bytes, buffer) => bytes + buffer.byteLength, 0)
      const before = blockMemory.freeBytes
      await sink.write(block)
      expect(blockMemory.freeBytes).toBe(before + lent)
      expect(new Uint8Array(blockMemory.take(byteLength)).subarray(0, 5)).toEqual(
        new Uint8Array(Buffer.from('{"id"')),
      )
      await sink.close()
    }
  })

  it('whose worker crashes goes on from the journal once its partitions are assigned anew', async () => {
    const flag = join(folder, 'crash')
    const crashing = await entryThat(
      'crashing.mjs',
      `import { existsSync, rmSync } from 'node:fs'
       setInterval(() => {
         if (!existsSync(${JSON.stringify(flag)})) return
         rmSync(${JSON.stringify(flag)})
         process.exit(3)
       }, 5)`,
    )
    const store = new MemoryObjectStore()
    const sink = sinkOver(store, { workers: { count: 1, entry: crashing } })
    const failed: string[] = []
    sink.on('failed', ({ partition }, error) => failed.push(`${partition} ${error.name}`))
    const logs = [tickLog(0, 0, 40), tickLog(1, 40, 40)]
    await consume(sink, logs)
    await writeFile(flag, '')
    // Each had rows in the thread.
    await expect
      .poll(() => failed.sort(), { timeout: 10_000 })
      .toEqual(['0 EngineLostError', '1 EngineLostError'])
    logs[0]!.append(JSON.stringify({ id: 80, symbol: 'A', price: '1.5' }))
    await expect(sink.write(logs[0]!.block(40n))).rejects.toMatchObject({
      name: 'EngineLostError',
      code: 'ENGINE_WORKER_LOST',
      retryable: true,
      facts: { topic: 'ticks', partition: 0 },
    })
    await consume(sink, logs)
    await sink.close()
    expect(await publishedIds(store.bucket)).toEqual(numbers(81))
  })

  it('ends with an error that is no invitation to try again when workers crash one after another', async () => {
    const hopeless = await entryThat('hopeless.mjs', 'setTimeout(() => { throw new Error("no luck") }, 20)')
    const sink = sinkOver(new MemoryObjectStore(), { workers: { count: 1, entry: hopeless } })
    const codes: unknown[] = []
    sink.on('failed', (_, error) => codes.push((error as { code?: string }).code))
    const log = tickLog(0, 0, 3)
    while (codes.length < 5) {
      await consume(sink, [log]).catch(() => {})
      await expect
        .poll(() => codes.length, { interval: 5, timeout: 10_000 })
        .toBeGreaterThan(codes.length - 1)
      if (codes.length < 5) await new Promise((resolve) => setTimeout(resolve, 30))
    }
    expect(codes).toEqual([...Array(4).fill('ENGINE_WORKER_LOST'), 'ENGINE_WORKERS_FAIL'])
    await sink.close()
  })

  it('tells what the engine threw in a worker as it would on its own thread', async () => {
    const store = new MemoryObjectStore()
    const sink = sinkOver(store, { deadLetters: { onRejected: 'stop' } })
    const log = new FakeLog(0, 'ticks').append('{"id":"x"}')
    await expect(consume(sink, [log])).rejects.toMatchObject({
      name: 'SchemaMismatchError',
      code: 'RECORD_REJECTED',
    })
    await sink.close()
  })

  it('shares its thread with other sinks of the process, once there are as many as cores but one', async () => {
    const counted = await entryThat(
      'counted.mjs',
      `import { appendFileSync } from 'node:fs'
       appendFileSync(${JSON.stringify(join(folder, 'threads'))}, 'thread ')`,
    )
    cores.count = 3
    try {
      const sinks = numbers(5).map((partition) => {
        const store = new MemoryObjectStore()
        const log = tickLog(partition % 3, 0, 20)
        return { store, log, sink: sinkOver(store, { workers: { entry: counted } }) }
      })
      for (const { sink, log } of sinks) await consume(sink, [log])
      await Promise.all(sinks.map(({ sink }) => sink.close()))
      for (const { store } of sinks) expect(await publishedIds(store.bucket)).toEqual(numbers(20))
      expect(await readFile(join(folder, 'threads'), 'utf8')).toBe('thread thread ')
      // The last to leave ended them.
      const { store, log, sink } = {
        ...sinks[0]!,
        sink: sinkOver(sinks[0]!.store, { workers: { entry: counted } }),
      }
      log.append(JSON.stringify({ id: 20, symbol: 'A', price: '1.5' }))
      await consume(sink, [log])
      await sink.close()
      expect(await publishedIds(store.bucket)).toEqual(numbers(21))
      expect(await readFile(join(folder, 'threads'), 'utf8')).toBe('thread thread thread ')
    } finally {
      cores.count = undefined
    }
  })

  it('whose thread crashes takes the rows of all sinks in it along, and each goes on from its journal', async () => {
    const flag = join(folder, 'crash-all')
    const crashing = await entryThat(
      'crashing-all.mjs',
      `import { existsSync, rmSync } from 'node:fs'
       setInterval(() => {
         if (!existsSync(${JSON.stringify(flag)})) return
         rmSync(${JSON.stringify(flag)})
         throw new Error('out of luck')
       }, 5)`,
    )
    cores.count = 2
    try {
      const failed: string[] = []
      const sinks = ['one', 'other'].map((name) => {
        const store = new MemoryObjectStore()
        const sink = sinkOver(store, { name, workers: { entry: crashing } })
        sink.on('failed', (_, error) => failed.push(`${name} ${error.name}`))
        return { store, sink, log: tickLog(0, 0, 40) }
      })
      for (const { sink, log } of sinks) await consume(sink, [log])
      await writeFile(flag, '')
      await expect
        .poll(() => failed.sort(), { timeout: 10_000 })
        .toEqual(['one EngineLostError', 'other EngineLostError'])
      for (const { sink, log } of sinks) await consume(sink, [log])
      await Promise.all(sinks.map(({ sink }) => sink.close()))
      for (const { store } of sinks) expect(await publishedIds(store.bucket)).toEqual(numbers(40))
    } finally {
      cores.count = undefined
    }
  })

  it('gets another thread when the memory of its own has grown too far, and loses nothing by it', async () => {
    // Every answer says that much is held, as after large pages by zstd.
    const grown = await entryThat(
      'grown.mjs',
      `import { appendFileSync } from 'node:fs'
       import { MessagePort } from 'node:worker_threads'
       appendFileSync(${JSON.stringify(join(folder, 'grown'))}, 'thread ')
       const { postMessage } = MessagePort.prototype
       MessagePort.prototype.postMessage = function (answer, transfer) {
         postMessage.call(this, answer && 'encoderBytes' in answer ? { ...answer, encoderBytes: 1e6 } : answer, transfer)
       }`,
    )
    const store = new MemoryObjectStore()
    const failed: Error[] = []
    const sink = sinkOver(store, {
      workers: { count: 1, entry: grown, maxEncoderBytes: 999_999 },
      rotation: { rows: 1 },
    })
    sink.on('failed', (_, error) => failed.push(error))
    const logs = [tickLog(0, 0, 30), tickLog(1, 30, 30)]
    await consume(sink, logs, 1)
    await sink.close()
    expect(failed).toEqual([])
    expect(await publishedIds(store.bucket)).toEqual(numbers(60))
    // After 20 groups each, and not before.
    expect(await readFile(join(folder, 'grown'), 'utf8')).toMatch(/^(thread ){3,4}$/)
  })

  it('refuses options that workers cannot serve before anything starts', async () => {
    const store = new MemoryObjectStore()
    const refused = (options: Partial<SinkOptions>) => expect(() => sinkOver(store, options))
    refused({ workers: { entry, maxEncoderBytes: 0 } }).toThrow(/maxEncoderBytes is a number above 0, not 0/)
    refused({ workers: -1 }).toThrow(/workers` are 0 to 64, not -1/)
    refused({ workers: { entry: pathToFileURL(join(folder, 'none.js')) } }).toThrow(/no entry of a worker/)
    refused({ partBytes: 5 }).toThrow(/partBytes/)
    refused({ createEngine: () => ({ handle: () => [], close() {} }) }).toThrow(/crosses no threads/)
  })
})
