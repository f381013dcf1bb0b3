import {
  avro,
  ConfigurationError,
  defineTable,
  defineTopic,
  type RecordBlock,
  type RegisteredSchema,
  type SchemaRegistry,
  StockpipeError,
  t,
} from '@stockpipe/core'
import { parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { createPushSink, createSink } from '../src/index.ts'
import type { SinkOptions } from '../src/sink-options.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { ManualRuntime, settle } from './sink/manual-runtime.ts'
import { MemoryBucket, MemoryObjectStore } from './sink/memory-object-store.ts'
import { dieAt } from './sink/mortal-process.ts'

const ticks = defineTable('ticks', {
  columns: { id: t.int64(), symbol: t.string(), venue: t.string().nullable() },
})
const topic = defineTopic('ticks', {
  table: ticks,
  partitions: 2,
  value: avro({ framing: 'confluent' }),
})
const table = ticks.at({ database: 'market', location: 's3://lake/ticks/' })

const field = (name: string, type: unknown = 'string') => ({ name, type })
const schemaOf = (...fields: readonly object[]): RegisteredSchema => ({
  schema: JSON.stringify({ type: 'record', name: 'Tick', fields }),
})
const schemas: Readonly<Record<string, RegisteredSchema>> = {
  '7': schemaOf(field('id', 'long'), field('symbol')),
  '8': schemaOf(field('venue'), field('symbol'), field('id', 'int')),
  '9': schemaOf(field('symbol')),
}

const text = (value: string) => String.fromCharCode(value.length * 2) + value
const header = (id: number) => `\0\0\0\0${String.fromCharCode(id)}`
const seven = (id: number, symbol = 'A') => header(7) + String.fromCharCode(id * 2) + text(symbol)
const eight = (id: number, symbol = 'B') => header(8) + text('X') + text(symbol) + String.fromCharCode(id * 2)

const registryOf = (
  answer: (id: string, call: number) => RegisteredSchema | null | Promise<never> = (id) =>
    schemas[id] ?? null,
): SchemaRegistry & { readonly asked: string[] } => {
  const asked: string[] = []
  return {
    asked,
    async schemaOf(id, { signal }) {
      asked.push(id)
      signal?.throwIfAborted()
      return answer(id, asked.length)
    },
  }
}

const sinkOver = (registry: SchemaRegistry, options: Partial<SinkOptions> = {}) => {
  const runtime = new ManualRuntime()
  const store = (options.store as MemoryObjectStore | undefined) ?? new MemoryObjectStore()
  const warnings: string[] = []
  const sink = createSink({
    name: 'market',
    topic,
    table,
    store,
    runtime,
    schemaRegistry: registry,
    logger: { info() {}, warn: (line) => warnings.push(line), error: (line) => warnings.push(line) },
    ...options,
  })
  return { sink, store, runtime, warnings, bucket: store.bucket }
}

const rowsAt = async (bucket: MemoryBucket, prefix: string): Promise<Record<string, unknown>[]> => {
  const files = bucket.keys(prefix).filter((key) => key.endsWith('.parquet'))
  const rows = await Promise.all(
    files.map((key) =>
      parquetReadObjects({ file: bucket.objects.get(key)!.bytes.slice().buffer as ArrayBuffer }),
    ),
  )
  return rows.flat()
}
const idsIn = async (bucket: MemoryBucket): Promise<number[]> =>
  (await rowsAt(bucket, 'ticks/')).map(({ id }) => Number(id)).sort((left, right) => left - right)

const down = () => Promise.reject(new TypeError('fetch failed'))

describe('a sink whose records name their schema in a registry', () => {
  it('asks for each schema once, and reads every record with its own', async () => {
    const registry = registryOf()
    const { sink, bucket } = sinkOver(registry)
    const logs = [
      new FakeLog(0).append(seven(1), eight(2), seven(3)),
      new FakeLog(1).append(eight(4), seven(5)),
    ]
    await consume(sink, logs, 2)
    await sink.close()
    expect(await idsIn(bucket)).toEqual([1, 2, 3, 4, 5])
    expect(await rowsAt(bucket, 'ticks/')).toContainEqual({ id: 4n, symbol: 'B', venue: 'X' })
    expect(registry.asked.toSorted()).toEqual(['7', '8'])
  })

  it('rejects records of a schema that is not there, or does not fit, with the reason', async () => {
    const registry = registryOf()
    const { sink, bucket } = sinkOver(registry, { deadLetters: { maxRejectedRatio: 1 } })
    await consume(sink, [
      new FakeLog(0).append(seven(1), `${header(5)}x`, `${header(9)}${text('A')}`, 'plain'),
    ])
    await sink.close()
    expect(await idsIn(bucket)).toEqual([1])
    const reasons = (await rowsAt(bucket, '_stockpipe/dead-letters/')).map(({ reason }) => reason)
    expect(reasons).toEqual([
      'the registry has no schema 5',
      `schema 9 cannot be read as table ticks: 'id' is not nullable, and Tick has no field "id"`,
      expect.stringContaining('does not begin as the Confluent framing does'),
    ])
  })

  it('asks again for a schema that was not there, after half a minute', async () => {
    let registered = false
    const registry = registryOf((id) => (id !== '8' || registered ? (schemas[id] ?? null) : null))
    const { sink, bucket, runtime } = sinkOver(registry, { deadLetters: { maxRejectedRatio: 1 } })
    const log = new FakeLog(0).append(eight(1), eight(2), eight(3))
    await sink.assign([log.assigned], { generation: 1 })
    await sink.write(log.block(0n, 1))
    registered = true
    await sink.write(log.block(1n, 1))
    expect(registry.asked).toEqual(['8'])
    runtime.pass(30_000)
    await sink.write(log.block(2n, 1))
    await sink.close()
    expect(registry.asked).toEqual(['8', '8'])
    expect(await idsIn(bucket)).toEqual([3])
  })

  it('waits out an outage of the registry and drops nothing', async () => {
    const registry = registryOf((id, call) => (call < 12 ? down() : schemas[id]!))
    const { sink, bucket, runtime, warnings } = sinkOver(registry)
    await consume(sink, [new FakeLog(0).append(seven(1), seven(2))])
    await sink.close()
    expect(await idsIn(bucket)).toEqual([1, 2])
    expect(registry.asked).toHaveLength(12)
    expect(Math.max(...runtime.waits)).toBeLessThanOrEqual(15_000)
    expect(warnings.join()).toMatch(
      /asking the registry for schema 7: attempt 4 failed, going on trying. The schema registry did not answer/,
    )
  })

  it('ends a partition log when the registry lets nobody in', async () => {
    const refusal = new StockpipeError({ code: 'SCHEMA_REGISTRY_REFUSED', message: 'it answers 401' })
    const { sink, bucket } = sinkOver(registryOf(() => Promise.reject(refusal)))
    const failed: unknown[] = []
    sink.on('failed', (_, error) => failed.push(error))
    await expect(consume(sink, [new FakeLog(0).append(seven(1))])).rejects.toBe(refusal)
    await sink.close()
    expect(failed).toEqual([refusal])
    expect(bucket.keys('ticks/').filter((key) => key.endsWith('.parquet'))).toEqual([])
  })

  it('gives a partition up while the registry hangs; its new owner reads the records', async () => {
    const store = new MemoryObjectStore(new MemoryBucket())
    const hanging = sinkOver(
      registryOf(() => new Promise<never>(() => {})),
      { store },
    )
    const log = new FakeLog(0).append(seven(1), seven(2))
    const written = consume(hanging.sink, [log])
    written.catch(() => {})
    await settle()
    await hanging.sink.revoke([log.assigned], { drain: false })
    await expect(written).rejects.toThrow(/not assigned|revoked|given up/i)
    await hanging.sink.close()
    const { sink, bucket } = sinkOver(registryOf(), { store })
    await consume(sink, [log])
    await sink.close()
    expect(await idsIn(bucket)).toEqual([1, 2])
  })

  it('reads a group again with the schemas of its records', async () => {
    const log = new FakeLog(0).append(seven(1), eight(2))
    const store = new MemoryObjectStore(new MemoryBucket())
    const count = sinkOver(registryOf())
    await consume(count.sink, [log])
    await count.sink.flush()
    const publication = count.store.calls.find(({ operation }) => operation === 'completeUpload')!.number
    const { died } = dieAt(store, publication, 'before')
    const dying = sinkOver(registryOf(), { store })
    await consume(dying.sink, [log])
    void dying.sink.flush()
    await died
    store.bucket.uploads.clear()
    const registry = registryOf((id, call) => (call < 3 ? down() : schemas[id]!))
    const { sink, bucket } = sinkOver(registry, {
      store: new MemoryObjectStore(store.bucket),
      readAgain: {
        async *read(_, from): AsyncGenerator<RecordBlock> {
          yield log.block(from, 1)
          yield log.block(from + 1n)
        },
      },
    })
    await consume(sink, [log])
    await sink.close()
    expect(await idsIn(bucket)).toEqual([1, 2])
    expect(new Set(registry.asked)).toEqual(new Set(['7', '8']))
  })

  it('may be handed records', async () => {
    const store = new MemoryObjectStore()
    const sink = createPushSink({
      name: 'market',
      topic,
      table,
      store,
      genesis: 0n,
      schemaRegistry: registryOf(),
    })
    await sink.push(new FakeLog(0).append(seven(1), eight(2)).block(0n))
    await sink.close()
    expect(await idsIn(store.bucket)).toEqual([1, 2])
  })

  it('is refused without a registry', () => {
    const options = { name: 'market', topic, table, store: new MemoryObjectStore() }
    expect(() => createSink(options)).toThrow(ConfigurationError)
    expect(() => createSink(options)).toThrow(/Records of topic ticks name their schema in a registry/)
    const stated = defineTopic('ticks', { table: ticks, value: avro() })
    expect(() => createSink({ ...options, topic: stated })).not.toThrow()
  })
})
