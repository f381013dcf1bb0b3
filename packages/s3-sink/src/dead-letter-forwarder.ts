import type { DeadLetterPublisher } from '@stockpipe/core'
import { readDeadLetterFile } from './dead-letter-file.ts'
import type { JournalEntry } from './journal-entry.ts'
import { type RetryContext, retry } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

export interface DeadLetterForwarderOptions extends RetryContext {
  /** Of the table's bucket. */
  readonly store: SinkObjectStore
  readonly publisher: DeadLetterPublisher
}

/**
 * Sends the dead letters of a published group to a topic as well, read back from their file: whoever settles the group
 * can. Done before the group counts as settled, so that each is sent at least once, and again when its owner died
 * before it could say so.
 */
export class DeadLetterForwarder {
  readonly #options: DeadLetterForwarderOptions

  constructor(options: DeadLetterForwarderOptions) {
    this.#options = options
  }

  /** Retried while the failure is a passing one; rejects with any other, and the group stays unsettled. */
  async forward(entry: JournalEntry, signal?: AbortSignal): Promise<void> {
    const { store, publisher, logger } = this.#options
    const call = signal ? { signal } : {}
    for (const { kind, key } of entry.files) {
      if (kind !== 'dead-letters') continue
      const what = `sending the dead letters of ${key} to their topic`
      const bytes = await retry(this.#options, { signal, what }, () => store.get(key, call))
      if (!bytes) {
        logger.warn(`${key} is not there any more; whoever settled its group has sent its dead letters.`)
        continue
      }
      const deadLetters = await readDeadLetterFile(bytes, key)
      await retry(this.#options, { signal, what }, () => publisher.publish(deadLetters, call))
    }
  }
}
