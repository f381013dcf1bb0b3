import type { TopicPartition } from '@stockpipe/core'
import { Chain } from './chain.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Genesis } from './genesis.ts'
import { type JournalAccessOptions, journalAccess } from './journal-access.ts'
import type { JournalEntry } from './journal-entry.ts'
import { listLogs } from './journal-logs.ts'

export interface DescribeJournalOptions extends JournalAccessOptions {
  /** Only these partitions of the topic; default all. */
  readonly topic?: string
  readonly partition?: number
  /** The newest entries to read of each partition log. Default 1. */
  readonly entries?: number
}

/** The journal of one partition log. */
export interface DescribedLog extends TopicPartition {
  readonly genesis: Genesis | null
  readonly checkpoint: Checkpoint | null
  /** The newest entries, newest first. */
  readonly entries: readonly JournalEntry[]
  /** How many entries there are. */
  readonly entryCount: number
  /** Where the sink goes on. */
  readonly next: bigint
  /** True when the newest group has its marker. */
  readonly settled: boolean
}

/** Reads what a journal says, and proves nothing: `verifySink` does. */
export const describeJournal = async (options: DescribeJournalOptions): Promise<readonly DescribedLog[]> => {
  const { keys, store, context, signal } = journalAccess(options)
  const described: DescribedLog[] = []
  for (const log of await listLogs(store, keys, context, signal)) {
    if (options.topic !== undefined && log.topic !== options.topic) continue
    if (options.partition !== undefined && log.partition !== options.partition) continue
    const chain = new Chain(store, keys, log, context)
    const starts = (await chain.starts(signal)).toReversed()
    const { entries: wanted = 1 } = options
    const entries: JournalEntry[] = []
    // The newest one says where the sink goes on.
    for (const start of starts.slice(0, Math.max(1, wanted))) {
      const entry = await chain.entryAt(start, signal)
      if (entry) entries.push(entry)
    }
    const genesis = (await chain.genesis(signal)) ?? null
    described.push({
      ...log,
      genesis,
      checkpoint: (await chain.newestCheckpoint(signal)) ?? null,
      entries: entries.slice(0, wanted),
      entryCount: starts.length,
      next: entries[0]?.next ?? genesis?.start ?? 0n,
      settled: (await chain.newestStart(signal))?.settled ?? true,
    })
  }
  return described
}
