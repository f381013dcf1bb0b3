import { EventEmitter } from 'node:events'
import { createEngine } from '../../src/engine.ts'
import type { EngineThread } from '../../src/engine-lane.ts'
import type { EngineOptions } from '../../src/engine-messages.ts'
import { serveEngine } from '../../src/engine-server.ts'
import type { WorkerAnswer, WorkerRequest } from '../../src/worker-messages.ts'
import type { ProcessClock } from './world-time.ts'

/**
 * A worker thread in simulated time: messages take a while each way, keep their order, carry copies and take buffers
 * along, as those between threads do; now and then it crashes, or holds too much.
 */
export class ModelThread extends EventEmitter implements EngineThread {
  readonly thread = this
  readonly #clock: ProcessClock
  readonly #inbox = new EventEmitter()
  readonly #due = { out: 0, back: 0 }
  #ended = false

  constructor(clock: ProcessClock, options: EngineOptions, make = createEngine) {
    super()
    this.#clock = clock
    const port = {
      postMessage: (answer: WorkerAnswer, transfer: ArrayBuffer[]) =>
        this.#post('back', structuredClone(answer, { transfer }), (copy) => this.emit('message', copy)),
      on: (event: 'message', listener: (asked: WorkerRequest) => void) => this.#inbox.on(event, listener),
    }
    const engine = make(options)
    const handle = engine.handle.bind(engine)
    const close = engine.close.bind(engine)
    serveEngine(port, options, () => ({
      handle,
      close,
      get encoderBytes() {
        return clock.random() < 0.2 ? 2 : 0
      },
    }))
  }

  postMessage(asked: WorkerRequest, transfer: ArrayBuffer[] = []): void {
    this.#post('out', structuredClone(asked, { transfer }), (copy) => {
      if (this.#clock.random() < this.#clock.crashRate) {
        this.#ended = true
        this.emit('exit', 7)
      } else this.#inbox.emit('message', copy)
    })
  }

  ref(): void {}
  unref(): void {}

  retire(): void {
    this.emit('retired')
  }

  async terminate(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.emit('exit', 1)
  }

  #post<Message>(way: 'out' | 'back', message: Message, deliver: (message: Message) => void): void {
    const now = this.#clock.monotonic()
    const due = Math.max(this.#due[way], now + Math.floor(this.#clock.random() * 20))
    this.#due[way] = due
    this.#clock.setTimer(() => {
      if (!this.#ended) deliver(message)
    }, due - now)
  }
}
