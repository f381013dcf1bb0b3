import type { TopicPartition } from '@stockpipe/core'
import type { HousekeepingJob } from './housekeeping.ts'
import { pruneLog } from './prune.ts'
import type { SinkContext } from './sink-context.ts'
import { abortLostUploads } from './upload-cleaner.ts'

/** What a sink does about the journals of its partition logs from time to time. */
export const housekeepingJobs = (
  context: SinkContext,
  retainEntriesMillis: number,
  owned: () => readonly TopicPartition[],
): HousekeepingJob[] => {
  const { journal, tableStore, table, deadLetters, latePrefix, runtime, logger } = context
  const { store, keys } = journal
  const prefixes = [table.prefix, ...[deadLetters.prefix, latePrefix].filter((prefix) => prefix !== '')]
  const cleaning = { runtime, logger, keys, journalStore: store, tableStore, prefixes }
  return [
    {
      name: 'aborting lost uploads',
      run: async (signal) => {
        const { aborted } = await abortLostUploads(cleaning, { logs: owned(), signal })
        if (aborted.length > 0) logger.info(`Aborted ${aborted.length} uploads that lost their claim.`)
      },
    },
    {
      name: 'pruning the journal',
      run: async (signal) => {
        for (const log of owned()) await pruneLog(journal, log, retainEntriesMillis, signal)
      },
    },
  ]
}
