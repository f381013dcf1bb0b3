import { blockBuffers, loadUnpackBatches, type UnpackBatches } from '@stockpipe/core'
import { createEngine } from './engine.ts'
import { isTaken } from './engine-host.ts'
import type { Engine, EngineOptions, EngineResponse } from './engine-messages.ts'
import { takeBatches } from './unpacked-batches.ts'
import { thrownValue, type WorkerAnswer, type WorkerRequest } from './worker-messages.ts'

/** The worker's end of the messages. */
export interface ServerPort {
  postMessage(answer: WorkerAnswer, transfer: ArrayBuffer[]): void
  on(event: 'message', listener: (asked: WorkerRequest) => void): unknown
}

/** What is pulled of a request. */
interface UnderWay {
  readonly responses: Iterator<EngineResponse>
  /** What is answered at its end beside the last responses; `memory` is moved. */
  readonly atEnd: (
    responses: readonly EngineResponse[],
  ) => Pick<WorkerAnswer, 'block' | 'facts'> & { readonly memory?: readonly ArrayBuffer[] }
}

/** Drives an engine by messages: what a worker thread does. */
export const serveEngine = (port: ServerPort, options: EngineOptions, make = createEngine): void => {
  const engine: Engine = make(options)
  const underWay = new Map<number, UnderWay>()

  const answer = (answered: Omit<WorkerAnswer, 'encoderBytes'>, buffers: ArrayBuffer[] = []) =>
    port.postMessage({ ...answered, encoderBytes: engine.encoderBytes ?? 0 }, buffers)

  /** Answers up to the next part, so that whoever pulls bounds the memory. */
  const proceed = (id: number, { responses: iterator, atEnd }: UnderWay): void => {
    const responses: EngineResponse[] = []
    let done: boolean | undefined
    do {
      const next = iterator.next()
      done = next.done
      if (!next.done) responses.push(next.value)
    } while (!done && responses.at(-1)?.kind !== 'part')
    if (!done) {
      answer({ id, responses, done: false }, responses.flatMap(buffersOf))
      return
    }
    underWay.delete(id)
    const last = atEnd(responses)
    answer({ id, responses, done: true, ...last }, [...(last.memory ?? [])])
  }

  const begin = (id: number, responses: Iterable<EngineResponse>, atEnd: UnderWay['atEnd']): UnderWay => {
    const begun = { responses: responses[Symbol.iterator](), atEnd }
    underWay.set(id, begun)
    return begun
  }

  /** What unpacks record batches, by the module that has it. */
  const unpackers = new Map<string, UnpackBatches>()
  /** Requests that came while one was loaded. */
  let waiting: WorkerRequest[] | undefined

  const load = async (asked: WorkerRequest & { kind: 'batches' }): Promise<void> => {
    waiting = [asked]
    try {
      unpackers.set(asked.block.unpackedBy, await loadUnpackBatches(asked.block))
    } catch (error) {
      waiting.shift()
      answer({ id: asked.id, responses: [], done: true, error: thrownValue(error) })
    }
    const waited = waiting
    waiting = undefined
    for (const one of waited) take(one)
  }

  const handle = (asked: WorkerRequest): void => {
    const { id } = asked
    if (asked.kind === 'batches') {
      const unpack = unpackers.get(asked.block.unpackedBy)
      if (!unpack) return void load(asked)
      const { responses, facts } = takeBatches(engine, asked, unpack)
      const memory = [asked.block.batches.buffer as ArrayBuffer]
      proceed(
        id,
        begin(id, responses, () => ({ facts, memory })),
      )
      return
    }
    if (asked.kind === 'return') {
      underWay.get(id)?.responses.return?.()
      underWay.delete(id)
      return
    }
    if (asked.kind === 'pull') {
      proceed(id, underWay.get(id)!)
      return
    }
    const { request } = asked
    const begun = begin(id, engine.handle(request), (responses) => {
      if (request.kind !== 'block') return {}
      // As a copy: the engine may still look into what it was given.
      if (!isTaken(responses)) return { block: request.block }
      return { memory: [...blockBuffers(request.block)] as ArrayBuffer[] }
    })
    if (request.kind !== 'cut') proceed(id, begun)
  }

  const take = (asked: WorkerRequest): void => {
    if (waiting) {
      waiting.push(asked)
      return
    }
    try {
      handle(asked)
    } catch (error) {
      underWay.delete(asked.id)
      answer({ id: asked.id, responses: [], done: true, error: thrownValue(error) })
    }
  }

  port.on('message', take)
}

/** A part's bytes leave with it, where they are a buffer of their own. */
const buffersOf = (response: EngineResponse): ArrayBuffer[] => {
  if (response.kind !== 'part') return []
  const { buffer, byteLength } = response.bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
}
