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

/** Drives an engine by messages: what a worker thread does. */
export const serveEngine = (port: ServerPort, options: EngineOptions, make = createEngine): void => {
  const engine: Engine = make(options)
  const cuts = new Map<number, Iterator<EngineResponse>>()

  const answer = (answered: Omit<WorkerAnswer, 'encoderBytes'>, buffers: ArrayBuffer[] = []) =>
    port.postMessage({ ...answered, encoderBytes: engine.encoderBytes ?? 0 }, buffers)

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
      const taken = takeBatches(engine, asked, unpack)
      const memory = [asked.block.batches.buffer as ArrayBuffer]
      answer({ id, ...taken, done: true, memory }, memory)
      return
    }
    if (asked.kind === 'return') {
      cuts.get(id)?.return?.()
      cuts.delete(id)
      return
    }
    if (asked.kind === 'pull') {
      const { value, done = false } = cuts.get(id)!.next()
      if (done) cuts.delete(id)
      const responses: EngineResponse[] = done ? [] : [value]
      answer({ id, responses, done }, responses.flatMap(buffersOf))
      return
    }
    const { request } = asked
    const responses = engine.handle(request)
    if (request.kind === 'cut') {
      cuts.set(id, responses[Symbol.iterator]())
      return
    }
    const all = [...responses]
    const given = { id, responses: all, done: true }
    if (request.kind !== 'block') answer(given)
    // As a copy: the engine may still look into what it was given.
    else if (!isTaken(all)) answer({ ...given, block: request.block })
    else {
      const memory = [...blockBuffers(request.block)] as ArrayBuffer[]
      answer({ ...given, memory }, memory)
    }
  }

  const take = (asked: WorkerRequest): void => {
    if (waiting) {
      waiting.push(asked)
      return
    }
    try {
      handle(asked)
    } catch (error) {
      cuts.delete(asked.id)
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
