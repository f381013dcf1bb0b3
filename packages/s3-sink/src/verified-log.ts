import type { Generation } from './compaction-log.ts'
import type { EntryFile, JournalEntry } from './journal-entry.ts'
import type { ReadChain } from './verify-chain.ts'
import type { VerifiedFile, VerifiedLog } from './verify-report.ts'

/** A file as the report tells of it. */
export const verifiedFile = (
  entry: JournalEntry,
  file: EntryFile,
  takenBy: Generation | undefined,
): VerifiedFile => ({
  key: `s3://${entry.table.bucket}/${file.key}`,
  kind: file.kind,
  topic: entry.topic,
  partition: entry.partition,
  start: entry.start.toString(),
  rows: file.rows,
  bytes: file.bytes,
  takenBy: takenBy?.record.kind ?? null,
})

/** A partition log as the report tells of it. */
export const verifiedLog = (chain: ReadChain, pending: ReadonlySet<string>): VerifiedLog => {
  const { entries, log, settled } = chain
  const files = entries.flatMap((entry) => entry.files)
  const sum = (read: (entry: JournalEntry) => number) =>
    entries.reduce((total, entry) => total + read(entry), 0)
  const { checkpoint } = chain
  const genesisStart = chain.genesisStart ?? 0n
  return {
    ...log,
    genesisStart: genesisStart.toString(),
    next: (entries.at(-1)?.next ?? checkpoint?.next ?? genesisStart).toString(),
    pruned: checkpoint
      ? {
          ...checkpoint.pruned,
          next: checkpoint.next.toString(),
          holeOffsets: checkpoint.pruned.holeOffsets.toString(),
        }
      : null,
    groups: entries.length,
    records: sum(({ counts }) => counts.records),
    rows: sum(({ counts }) => counts.rows),
    deadLetters: sum(({ counts }) => counts.deadLetters),
    skipped: sum(({ counts }) => counts.skipped),
    files: files.length,
    bytes: files.reduce((total, file) => total + file.bytes, 0),
    holeOffsets: entries.reduce((total, entry) => total + entry.holes.offsets, 0n).toString(),
    holes: entries.flatMap(({ holes }) =>
      holes.ranges.map(({ from, to }) => ({ from: from.toString(), to: to.toString() })),
    ),
    acceptedLosses: entries.flatMap(({ cutBy, start, next }) =>
      cutBy === 'reset' ? [{ from: start.toString(), to: next.toString() }] : [],
    ),
    settled,
    pendingFiles: files.filter((file) => pending.has(file.key)).map((file) => file.key),
  }
}
