import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSink } from '../src/sink.ts'
import type { SinkOptions } from '../src/sink-options.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { type MemoryBucket, MemoryObjectStore } from './sink/memory-object-store.ts'

const ticks = defineTable('ticks', {
  columns: { id: t.int64(), symbol: t.string(), price: t.decimal(18, 4), at: t.recordOffset() },
  partitions: { ticker: identity('symbol') },
})
const topic = defineTopic('ticks', { table: ticks, partitions: 3 })
const table = ticks.at({ database: 'market', location: 's3://lake/ticks/' })
const builtEntry = new URL('../dist/engine-worker.js', import.meta.url)

let folder: string
let entry: URL
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stockpipe-worker-'))
  entry = await entryThat('worker.mjs')
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

/**
 * The built entry of a worker, which also does what is written, as JavaScript. A thread of vitest resolves packages to
 * their sources, which Node cannot run: core is taken from its build.
 */
const entryThat = async (name: string, code = ''): Promise<URL> => {
  const core = new URL('../../core/dist/index.js', import.meta.url)
  const hook = `export const resolve = (name, context, next) =>
    name === '@stockpipe/core' ? { url: ${JSON.stringify(core.href)}, shortCircuit: true } : next(name, context)`
  const file = join(folder, name)
  await writeFile(
    file,
    `import { register } from 'node:module'
     register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`)})
     ${code}
     await import(${JSON.stringify(builtEntry.href)})`,
  )
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
    const sink = sinkOver(store, { workers: { entry: crashing } })
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

  it('refuses options that workers cannot serve before anything starts', async () => {
    const store = new MemoryObjectStore()
    const refused = (options: Partial<SinkOptions>) => expect(() => sinkOver(store, options))
    refused({ workers: -1 }).toThrow(/workers` are 0 to 64, not -1/)
    refused({ workers: { entry: pathToFileURL(join(folder, 'none.js')) } }).toThrow(/no entry of a worker/)
    refused({ partBytes: 5 }).toThrow(/partBytes/)
    refused({ createEngine: () => ({ handle: () => [], close() {} }) }).toThrow(/crosses no threads/)
  })
})
