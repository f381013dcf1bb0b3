import { EventEmitter } from 'node:events'
import { channels, type PartitionedSinkEvents } from '@stockpipe/core'
import type { SinkLogger } from './logger.ts'

type Listener<Event extends keyof PartitionedSinkEvents> = (...details: PartitionedSinkEvents[Event]) => void

/** The events of a sink. What a listener throws is the listener's own matter: it is logged. */
export class SinkEvents {
  readonly #sink: string
  readonly #logger: SinkLogger
  readonly #emitter = new EventEmitter()

  constructor(sink: string, logger: SinkLogger) {
    this.#sink = sink
    this.#logger = logger
  }

  on<Event extends keyof PartitionedSinkEvents>(event: Event, listener: Listener<Event>): void {
    this.#emitter.on(event, listener as (...details: unknown[]) => void)
  }

  off<Event extends keyof PartitionedSinkEvents>(event: Event, listener: Listener<Event>): void {
    this.#emitter.off(event, listener as (...details: unknown[]) => void)
  }

  /** `fenced` and `failed` are told on their channels too. */
  emit<Event extends keyof PartitionedSinkEvents>(
    event: Event,
    ...details: PartitionedSinkEvents[Event]
  ): void {
    if (event === 'fenced' || event === 'failed') {
      this.tellEnded(event, ...(details as PartitionedSinkEvents['failed']))
    }
    this.guard(`the listener of ${event}`, () => this.#emitter.emit(event, ...details))
  }

  /** Tells on its channel alone that a partition log has ended. */
  tellEnded(event: 'fenced' | 'failed', ...[log, error]: PartitionedSinkEvents['failed']): void {
    const { topic, partition } = log
    channels.s3Sink[event].publish(() => ({ sink: this.#sink, topic, partition, error }))
  }

  guard(what: string, call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#logger.error(`Sink ${this.#sink}: ${what} threw ${String(error)}`)
    }
  }
}
