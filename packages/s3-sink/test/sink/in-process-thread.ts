import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { createEngine } from '../../src/engine.ts'
import type { EngineThread } from '../../src/engine-lane.ts'
import type { EngineOptions } from '../../src/engine-messages.ts'
import { serveEngine } from '../../src/engine-server.ts'
import type { WorkerAnswer, WorkerRequest } from '../../src/worker-messages.ts'

/** A worker thread in all but the thread: messages are real ones, so they take turns of the loop and carry copies. */
export class InProcessThread extends EventEmitter implements EngineThread {
  readonly thread = this
  readonly #port: MessagePort
  #ended = false

  constructor(options: EngineOptions, make = createEngine) {
    super()
    const { port1, port2 } = new MessageChannel()
    const engine = make(options)
    serveEngine(port2, options, () => engine)
    port2.on('close', () => engine.close())
    this.#port = port1
    port1.on('message', (answer: WorkerAnswer) => this.emit('message', answer))
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
    this.emit('retired')
  }

  /** As a thread that ends by itself. */
  crash(reason: Error): void {
    this.#end('error', reason)
  }

  async terminate(): Promise<void> {
    this.#end('exit', 1)
  }

  get ended(): boolean {
    return this.#ended
  }

  #end(event: 'error' | 'exit', reason: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#port.close()
    this.emit(event, reason)
  }
}
