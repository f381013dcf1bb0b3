import type { CutReason } from './sink-options.ts'
import type { Slots } from './slots.ts'

export interface CutQueueOptions {
  /** Bounds the cuts of all partition logs. */
  readonly slots: Slots
  readonly signal: AbortSignal
  readonly isOver: () => boolean
  /** Resolves when nothing hinders a cut. */
  readonly ready: () => Promise<void>
  readonly cut: (reason: CutReason) => Promise<void>
  readonly onFailure: (error: unknown) => void
}

/** The cuts of one partition log, one after another. */
export class CutQueue {
  readonly #options: CutQueueOptions
  #due: CutReason | undefined
  #running: Promise<void> | undefined

  constructor(options: CutQueueOptions) {
    this.#options = options
  }

  /** A cut is due and has not begun. */
  get isDue(): boolean {
    return this.#due !== undefined
  }

  request(reason: CutReason): void {
    this.#due ??= reason
    this.#running ??= this.#run()
  }

  /** Resolves when no cut is under way. Does not reject. */
  async ended(): Promise<void> {
    while (this.#running) await this.#running
  }

  async #run(): Promise<void> {
    const { slots, signal, isOver, ready, cut, onFailure } = this.#options
    try {
      while (this.#due && !isOver()) {
        const release = await slots.acquire(signal)
        try {
          await ready()
          const reason = this.#due
          this.#due = undefined
          if (!isOver()) await cut(reason)
        } finally {
          release()
        }
      }
    } catch (error) {
      onFailure(error)
    } finally {
      this.#running = undefined
    }
  }
}
