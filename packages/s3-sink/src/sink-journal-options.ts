import type { AccessWatch } from './access-watch.ts'
import { DeadLetterForwarder } from './dead-letter-forwarder.ts'
import type { createEngine } from './engine.ts'
import { LastResort } from './last-resort.ts'
import type { PartitionJournalOptions } from './partition-journal.ts'
import { Publisher } from './publisher.ts'
import type { RetryContext } from './retry.ts'
import type { SinkOptions } from './sink-options.ts'
import type { SinkSetup } from './sink-setup.ts'

/** What a sink with a consumer gives the journals of its partition logs: who publishes, registers, and reads again. */
export const sinkJournalOptions = (
  options: SinkOptions,
  setup: Pick<SinkSetup, 'keys' | 'tableStore' | 'journalStore' | 'engine' | 'schemas'>,
  parts: {
    readonly context: RetryContext
    readonly access: AccessWatch
    readonly writer: string
    readonly makeEngine: typeof createEngine
  },
): PartitionJournalOptions => {
  const { table, registrar, readAgain, deadLetters } = options
  const { keys, tableStore: store, journalStore, engine, schemas } = setup
  const { context, access, writer, makeEngine: createEngine } = parts
  const lastResort =
    readAgain &&
    new LastResort({ ...context, store, reader: readAgain, writer, createEngine, engine, schemas })
  const forwarder =
    deadLetters?.publisher && new DeadLetterForwarder({ ...context, store, publisher: deadLetters.publisher })
  return {
    ...context,
    store: journalStore,
    keys,
    publisher: new Publisher({ ...context, store, table, registrar, lastResort, access }),
    forwarder,
    writer,
    start: options.start ?? 'earliest',
    offsetForTimestamp: options.offsetForTimestamp,
  }
}
