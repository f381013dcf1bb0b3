import type { TopicPartition } from '@stockpipe/core'
import type { JournalKeys } from './journal-keys.ts'
import { type RetryContext, retry } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

/** The partition logs a journal has a genesis of, by topic and number. */
export const listLogs = async (
  store: SinkObjectStore,
  keys: JournalKeys,
  context: RetryContext,
  signal: AbortSignal | undefined,
): Promise<readonly TopicPartition[]> =>
  retry(context, { signal, attempts: 6, what: `listing ${keys.genesisPrefix}` }, async () => {
    const logs: TopicPartition[] = []
    for await (const { key } of store.list(keys.genesisPrefix, signal ? { signal } : {})) {
      const log = keys.readGenesis(key)
      if (log) logs.push(log)
    }
    return logs.sort(
      (left, right) => left.topic.localeCompare(right.topic) || left.partition - right.partition,
    )
  })
