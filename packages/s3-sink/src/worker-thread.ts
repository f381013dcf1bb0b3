import { EventEmitter } from 'node:events'
import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { EngineThread } from './engine-lane.ts'
import type { EngineOptions } from './engine-messages.ts'
import type { EngineStart, WorkerAnswer, WorkerRequest } from './worker-messages.ts'

/** Columns lie outside the heap and objects are few: a third of the usual new space costs no time and saves some 20 MB. */
const resourceLimits = { maxYoungGenerationSizeMb: 16 }

/** A worker thread with the engines of one sink, or of several. */
class WorkerThread {
  readonly entry: URL
  readonly #worker: Worker
  readonly #engines = new Set<ThreadEngine>()
  readonly #onUnused: () => void
  #retired = false

  /** @param onUnused called when nobody is to start another engine in it: it has ended, was retired, or is left by all */
  constructor(entry: URL, onUnused: () => void) {
    this.entry = entry
    this.#onUnused = onUnused
    this.#worker = new Worker(entry, { name: 'stockpipe-engine', resourceLimits })
    // What is under way holds the process up, by the port of its engine.
    this.#worker.unref()
    this.#worker.on('error', (error: Error) => this.#end('error', error))
    this.#worker.on('exit', (code) => this.#end('exit', code))
  }

  get engines(): number {
    return this.#engines.size
  }

  start(options: EngineOptions): EngineThread {
    const { port1, port2 } = new MessageChannel()
    const engine: ThreadEngine = new ThreadEngine(this, port1, {
      retire: () => this.#retire(),
      leave: () => this.#leave(engine),
    })
    this.#engines.add(engine)
    const start: EngineStart = { options, port: port2 }
    this.#worker.postMessage(start, [port2])
    return engine
  }

  #retire(): void {
    if (this.#retired) return
    this.#retired = true
    this.#onUnused()
    for (const engine of [...this.#engines]) engine.emit('retired')
  }

  async #leave(engine: ThreadEngine): Promise<void> {
    if (!this.#engines.delete(engine) || this.#engines.size > 0) return
    this.#onUnused()
    await this.#worker.terminate()
  }

  #end(event: 'error' | 'exit', reason: unknown): void {
    this.#onUnused()
    const engines = [...this.#engines]
    this.#engines.clear()
    for (const engine of engines) engine.end(event, reason)
  }
}

/** What an engine asks of its thread. */
interface Tenancy {
  retire(): void
  leave(): Promise<void>
}

/** The sink's end of one engine in a thread. */
class ThreadEngine extends EventEmitter implements EngineThread {
  readonly thread: object
  readonly #port: MessagePort
  readonly #tenancy: Tenancy
  #ended = false

  constructor(thread: object, port: MessagePort, tenancy: Tenancy) {
    super()
    this.thread = thread
    this.#port = port
    this.#tenancy = tenancy
    port.on('message', (answer: WorkerAnswer) => this.emit('message', answer))
    port.on('messageerror', (error) => this.emit('messageerror', error))
  }

  postMessage(asked: WorkerRequest, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(asked, transfer)
  }

  ref(): void {
    this.#port.ref()
  }

  unref(): void {
    this.#port.unref()
  }

  retire(): void {
    this.#tenancy.retire()
  }

  end(event: 'error' | 'exit', reason: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#port.close()
    this.emit(event, reason)
  }

  async terminate(): Promise<void> {
    this.end('exit', 0)
    await this.#tenancy.leave()
  }
}

/** A thread for one engine alone. */
export const ownThread = (entry: URL, options: EngineOptions): EngineThread =>
  new WorkerThread(entry, () => {}).start(options)

const shared = new Set<WorkerThread>()

/**
 * A thread that engines of this process share once there are as many threads as cores but one: the one with the fewest,
 * or a new one.
 */
export const sharedThread = (entry: URL, options: EngineOptions): EngineThread => {
  const alike = [...shared].filter((thread) => thread.entry.href === entry.href)
  if (alike.length >= Math.max(1, availableParallelism() - 1)) {
    return alike.reduce((least, thread) => (thread.engines < least.engines ? thread : least)).start(options)
  }
  const thread: WorkerThread = new WorkerThread(entry, () => shared.delete(thread))
  shared.add(thread)
  return thread.start(options)
}
