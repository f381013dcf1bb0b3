import { ConfigurationError, type TopicPartition } from '@stockpipe/core'
import { Chain } from './chain.ts'
import { isSignedTooLate } from './errors.ts'
import { type Genesis, writeGenesis } from './genesis.ts'
import { type JournalAccessOptions, journalAccess } from './journal-access.ts'
import type { JournalKeys } from './journal-keys.ts'
import { type RetryContext, retry } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

const longestReadAgeMillis = 24 * 60 * 60_000

export interface InitJournalOptions extends JournalAccessOptions {
  /** Where each partition log begins: the offset of the first record the sink takes. */
  readonly starts: readonly (TopicPartition & { readonly start: bigint })[]
  /** How the offsets were chosen, for people. Default `offset`. */
  readonly policy?: string
  /** Names this program in the genesis. Default `init`. */
  readonly writer?: string
}

/** Where a partition log begins. */
export interface InitiatedLog extends TopicPartition {
  readonly start: bigint
  /** False: it had a genesis before, and begins there. */
  readonly created: boolean
}

/**
 * Writes the genesis of partition logs, before a sink reads them or records are pushed. One that is there is left as
 * it is.
 *
 * Throws a `ConfigurationError` (`GENESIS_MISSING`) when a partition log has entries and no genesis.
 */
export const initJournal = async (options: InitJournalOptions): Promise<readonly InitiatedLog[]> => {
  const { keys, store, context, signal } = journalAccess(options)
  const { policy = 'offset', writer = 'init' } = options
  const initiated: InitiatedLog[] = []
  for (const { topic, partition, start } of options.starts) {
    const genesis = { topic, partition, start, policy, writer }
    initiated.push(await ensureGenesis({ ...context, keys, store }, genesis, signal))
  }
  return initiated
}

/** Writes a genesis unless there is one, and answers the one there is. */
export const ensureGenesis = async (
  { keys, store, ...context }: RetryContext & { readonly keys: JournalKeys; readonly store: SinkObjectStore },
  {
    topic,
    partition,
    start,
    policy,
    writer,
  }: Pick<Genesis, 'topic' | 'partition' | 'start' | 'policy' | 'writer'>,
  signal: AbortSignal | undefined,
): Promise<InitiatedLog> => {
  const { runtime } = context
  const log = { topic, partition }
  const chain = new Chain(store, keys, log, context)
  const create = () =>
    retry(context, { signal, what: `writing the genesis of ${topic}-${partition}` }, async () => {
      const readAt = runtime.now()
      const newest = await chain.newestStart(signal)
      if (newest) {
        // Written, and claimed upon, since we looked.
        if (await chain.genesis(signal)) return 'exists'
        throw genesisMissing(log, newest.start)
      }
      const createdAt = new Date(readAt).toISOString()
      const bytes = writeGenesis({ sink: keys.sink, writer, ...log, start, policy, createdAt })
      const call = {
        ...(signal ? { signal } : {}),
        contentType: 'application/json',
        signedBefore: readAt + longestReadAgeMillis,
      }
      try {
        return await store.putIfAbsent(keys.genesis(log), bytes, call)
      } catch (error) {
        if (isSignedTooLate(error)) return 'exists'
        throw error
      }
    })
  for (let created = false; ; ) {
    const genesis = await chain.genesis(signal)
    if (genesis) return { ...log, start: genesis.start, created }
    created = (await create()) === 'created'
  }
}

const genesisMissing = (log: TopicPartition, start: bigint): ConfigurationError =>
  new ConfigurationError({
    code: 'GENESIS_MISSING',
    message: `${log.topic}-${log.partition} has entries up to the one at ${start} and no genesis: its position comes from them. Restore the genesis; a new one would contradict them.`,
    facts: { ...log, start },
  })
