import { blockMemory } from '@stockpipe/core'
import type { EngineRequest } from './engine-messages.ts'
import { Slots } from './slots.ts'
import {
  type BatchesRequest,
  revivedError,
  type WorkerAnswer,
  type WorkerRequest,
} from './worker-messages.ts'

/** Blocks on their way into a worker, or being taken there, at most. */
const blocksInFlight = 2

/** The sink's end of an engine in a worker thread. */
export interface EngineThread {
  /** The same for all engines in one thread. */
  readonly thread: object
  postMessage(asked: WorkerRequest, transfer?: ArrayBuffer[]): void
  on(event: 'message', listener: (answer: WorkerAnswer) => void): unknown
  on(event: 'error' | 'messageerror', listener: (error: Error) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  /** Its thread is given no more rows. */
  on(event: 'retired', listener: () => void): unknown
  ref(): void
  unref(): void
  /** All whose engines are in the thread are told. */
  retire(): void
  terminate(): Promise<unknown>
}

interface Pending {
  readonly resolve: (answer: WorkerAnswer) => void
  readonly reject: (error: Error) => void
}

/** One engine in a worker thread. */
export class EngineLane {
  readonly credits = new Slots(blocksInFlight)
  readonly #worker: EngineThread
  readonly #pending = new Map<number, Pending>()
  /** Groups cut in it. */
  groups = 0
  #id = 0
  #encoderBytes = 0
  #draining = false
  #closing = false
  #ended: Error | undefined

  /**
   * @param onEnded called once should the worker end by itself
   * @param onRetired called when nothing new is to be given to it
   */
  constructor(worker: EngineThread, onEnded: (reason: Error) => void, onRetired: () => void) {
    this.#worker = worker
    // A sink that nobody waits for does not keep its process alive; work under way does.
    this.#worker.unref()
    this.#worker.on('message', (answer: WorkerAnswer) => this.#answered(answer))
    const ended = (reason: Error) => {
      if (this.#ended) return
      this.#ended = reason
      for (const { reject } of this.#pending.values()) reject(reason)
      this.#pending.clear()
      if (!this.#closing) onEnded(reason)
    }
    this.#worker.on('error', ended)
    this.#worker.on('messageerror', (error) => {
      void this.#worker.terminate()
      ended(error)
    })
    this.#worker.on('exit', (code) => ended(new Error(`the worker ended with code ${code}`)))
    this.#worker.on('retired', onRetired)
  }

  /** Why the worker is no more. */
  get ended(): Error | undefined {
    return this.#ended
  }

  get thread(): object {
    return this.#worker.thread
  }

  get encoderBytes(): number {
    return this.#ended ? 0 : this.#encoderBytes
  }

  /** Has a block taken or a log discarded; rejects with what the engine threw, or what ended the worker. */
  ask(request: EngineRequest, buffers: readonly ArrayBuffer[] = []): Promise<WorkerAnswer> {
    const id = this.#nextId()
    return this.#send({ kind: 'handle', id, request }, buffers)
  }

  /** Has record batches unpacked and taken. */
  askBatches(request: BatchesRequest, buffers: readonly ArrayBuffer[]): Promise<WorkerAnswer> {
    return this.#send({ kind: 'batches', id: this.#nextId(), ...request }, buffers)
  }

  /** Begins a cut; answers the id to pull it by. */
  begin(request: EngineRequest): number {
    const id = this.#nextId()
    if (!this.#ended) this.#worker.postMessage({ kind: 'handle', id, request })
    return id
  }

  /** What comes next of a cut, or of a block that is not done. */
  pull(id: number): Promise<WorkerAnswer> {
    return this.#send({ kind: 'pull', id })
  }

  /** It is not pulled any further. */
  giveUp(id: number): void {
    if (!this.#ended) this.#worker.postMessage({ kind: 'return', id })
  }

  /** Its thread has no more rows given to it by anybody. */
  retire(): void {
    this.#worker.retire()
  }

  /** Closes once nothing is asked of it any more. */
  drain(): void {
    this.#draining = true
    if (this.#pending.size === 0) void this.close()
  }

  async close(): Promise<void> {
    this.#closing = true
    await this.#worker.terminate()
  }

  #nextId(): number {
    this.#id += 1
    return this.#id
  }

  #send(asked: WorkerRequest, buffers: readonly ArrayBuffer[] = []): Promise<WorkerAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended)
      this.#worker.postMessage(asked, [...buffers])
      this.#pending.set(asked.id, { resolve, reject })
      this.#worker.ref()
    })
  }

  #answered(answer: WorkerAnswer): void {
    this.#encoderBytes = answer.encoderBytes
    for (const memory of answer.memory ?? []) blockMemory.giveMoved(memory)
    const pending = this.#pending.get(answer.id)
    if (!pending) return
    this.#pending.delete(answer.id)
    if (this.#pending.size === 0) {
      this.#worker.unref()
      if (this.#draining) void this.close()
    }
    if (answer.error) pending.reject(revivedError(answer.error))
    else pending.resolve(answer)
  }
}
