import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { engineOf } from '../src/engine-choice.ts'
import type { SinkOptions } from '../src/sink-options.ts'
import { setUpSink } from '../src/sink-setup.ts'
import { WorkerEngine } from '../src/worker-engine.ts'
import { LineEngine } from './sink/line-engine.ts'
import { ManualRuntime } from './sink/manual-runtime.ts'
import { MemoryObjectStore } from './sink/memory-object-store.ts'
import { lake, ticksTopic } from './sink/sink-fixture.ts'

vi.mock('node:os', async (original) => ({ ...(await original<object>()), availableParallelism: vi.fn() }))

/** There is no built file beside the sources; a thread would be started by the first block alone. */
const entry = pathToFileURL(import.meta.filename)

const chosen = async (options: Partial<SinkOptions>, cores = 2) => {
  vi.mocked(availableParallelism).mockReturnValue(cores)
  const warnings: string[] = []
  const all: SinkOptions = {
    name: 'market',
    topic: ticksTopic,
    table: lake,
    store: new MemoryObjectStore(),
    logger: { info() {}, warn: (text) => warnings.push(text), error() {} },
    ...options,
  }
  const events = { onLost() {}, onTaking() {} }
  const engine = engineOf(all, setUpSink(all, new ManualRuntime()).engine, events)
  await engine.close()
  return { inWorkers: engine instanceof WorkerEngine, warnings }
}

describe('without a number of workers', () => {
  it('a sink has its engine in a worker where there are two cores, and on its own thread on one', async () => {
    expect(await chosen({ workers: { entry } })).toEqual({ inWorkers: true, warnings: [] })
    expect(await chosen({ workers: { entry } }, 1)).toEqual({ inWorkers: false, warnings: [] })
    expect(await chosen({}, 1)).toEqual({ inWorkers: false, warnings: [] })
  })

  it('a sink with functions, which cross no threads, has its engine on its own', async () => {
    const inline = { inWorkers: false, warnings: [] }
    expect(await chosen({ createEngine: () => new LineEngine() })).toEqual(inline)
    expect(await chosen({ transform: (row) => row })).toEqual(inline)
  })

  it('a sink that finds no file of a worker, as in a bundle, warns of it and works on its own thread', async () => {
    const { inWorkers, warnings } = await chosen({})
    expect(inWorkers).toBe(false)
    expect(warnings).toEqual([
      expect.stringMatching(
        /^Sink market decodes and encodes on its own thread: there is no entry of a worker at file:.*engine-worker\.js\. In a bundle, build `@stockpipe\/s3-sink\/engine-worker`/,
      ),
    ])
  })
})

describe('a number of workers', () => {
  it('is taken as it is, whatever the machine', async () => {
    expect(await chosen({ workers: 0 })).toEqual({ inWorkers: false, warnings: [] })
    expect(await chosen({ workers: { count: 2, entry } }, 1)).toEqual({ inWorkers: true, warnings: [] })
  })

  it('is an error where there is no file of a worker', async () => {
    await expect(chosen({ workers: 1 })).rejects.toMatchObject({ code: 'SINK_OPTION_INVALID' })
    await expect(chosen({ workers: { entry: new URL('https://example.com/worker.js') } })).rejects.toThrow(
      /no entry of a worker at https:/,
    )
  })
})
