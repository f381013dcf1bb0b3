import type { BoundTable } from '@stockpipe/core'
import type { JournalKeys } from './journal-keys.ts'
import { lifecycleWarnings } from './lifecycle-check.ts'
import type { RetryContext } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'
import { probeConditionalPut } from './store-probe.ts'

export interface StartCheckOptions extends RetryContext {
  readonly sink: string
  readonly keys: JournalKeys
  readonly journalStore: SinkObjectStore
  readonly tableStore: SinkObjectStore
  readonly table: Pick<BoundTable, 'bucket' | 'prefix'>
  readonly deadLetters: { readonly prefix: string }
  readonly latePrefix: string
  /** How long a group may be open. */
  readonly groupAgeMillis: number
}

/** What a sink asks of its stores before it relies on them: conditional puts, and no rule that deletes what it needs. */
export class StartCheck {
  readonly #options: StartCheckOptions
  #running: Promise<void> | undefined

  constructor(options: StartCheckOptions) {
    this.#options = options
  }

  /** Runs once a start; a check that failed is made again the next time. Rejects as `probeConditionalPut` does. */
  async passed(signal: AbortSignal | undefined): Promise<void> {
    this.#running ??= this.#run(signal)
    try {
      await this.#running
    } catch (error) {
      this.#running = undefined
      throw error
    }
  }

  async #run(signal: AbortSignal | undefined): Promise<void> {
    const { sink, keys, journalStore, tableStore, table, logger, groupAgeMillis } = this.#options
    const prefixes = [table.prefix, this.#options.deadLetters.prefix, this.#options.latePrefix]
    await probeConditionalPut(journalStore, keys.probe, this.#options, signal)
    const warnings = await lifecycleWarnings(
      { store: journalStore, bucket: keys.bucket, prefix: keys.root },
      { store: tableStore, bucket: table.bucket, prefixes, groupAgeMillis },
      signal,
    )
    for (const warning of warnings) logger.warn(`Sink ${sink}: ${warning}`)
  }
}
