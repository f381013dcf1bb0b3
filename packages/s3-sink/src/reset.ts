import {
  type BoundTable,
  ConfigurationError,
  FencedError,
  type PartitionToRegister,
  StockpipeError,
  type TopicDefinition,
  type TopicPartition,
} from '@stockpipe/core'
import { Chain } from './chain.ts'
import { newClaimId } from './claim-id.ts'
import { type JournalAccess, type JournalAccessOptions, journalAccess } from './journal-access.ts'
import type { EntryTable, JournalEntry } from './journal-entry.ts'
import { PartitionJournal } from './partition-journal.ts'
import { Publisher, partitionsOf } from './publisher.ts'

export interface ResetOptions extends JournalAccessOptions {
  readonly log: TopicPartition
  /** The offset the sink goes on at: everything between the chain's end and it is given up. */
  readonly to: bigint
  /**
   * The newest group is not settled because files of it are lost for good: what of it is there is published, the rest
   * is given up. Default false.
   */
  readonly acceptLostFiles?: boolean
  /** The table and topic, where nothing was ever published of the partition log: an entry names its table. */
  readonly table?: BoundTable
  readonly topic?: TopicDefinition
  /** Names this program in the entry. Default `reset`. */
  readonly writer?: string
}

/** What a reset did. */
export interface ResetReport extends TopicPartition {
  /** The offsets given up: none when only lost files were. */
  readonly from: bigint
  readonly to: bigint
  /** Files of the newest group that are lost; they stay missing. */
  readonly lostFiles: readonly string[]
  /** Partitions of that group, which a reset registers with no catalog. */
  readonly unregistered: readonly PartitionToRegister[]
}

/**
 * Moves a partition log's position forward, past offsets that Kafka no longer has: a journal entry without files,
 * claimed like any other, records them as an accepted loss, which `verify` shows. Owners at work meanwhile are fenced.
 *
 * Throws a `ConfigurationError`: `RESET_BACKWARD` (rows would be doubled), `RESET_UNSETTLED` (the newest group is not
 * published yet), `GENESIS_MISSING`; a `FencedError` when a sink claimed the position first.
 */
export const resetPartitionLog = async (options: ResetOptions): Promise<ResetReport> => {
  const { log, to, acceptLostFiles = false, writer = 'reset' } = options
  const access = journalAccess(options)
  const { keys, store, context, signal } = access
  const name = `${log.topic}-${log.partition}`
  const newest = await new Chain(store, keys, log, context).newest(signal)
  const unsettled = newest && !newest.settled ? newest.entry : undefined
  if (unsettled && !acceptLostFiles) throw notSettled(name, unsettled)
  const lostFiles: string[] = []
  const journal = new PartitionJournal(log, {
    ...context,
    store,
    keys,
    writer,
    start: 'earliest',
    publisher: lenientPublisher(access, lostFiles),
  })
  const end = await journal.resume(signal)
  if (!end) {
    throw new ConfigurationError({
      code: 'GENESIS_MISSING',
      message: `${name} has no genesis in s3://${keys.bucket}/${keys.root}: there is nothing to reset. Begin it at ${to} with stockpipe journal init.`,
      facts: { ...log },
    })
  }
  if (to < end.next) throw backward(name, end.next, to)
  const report = {
    ...log,
    from: end.next,
    to,
    lostFiles,
    unregistered: unsettled ? partitionsOf(unsettled) : [],
  }
  if (to > end.next) {
    const entry: JournalEntry = {
      sink: keys.sink,
      writer,
      claimId: newClaimId(context.runtime),
      createdAt: new Date(context.runtime.now()).toISOString(),
      cutBy: 'reset',
      ...log,
      genesisStart: end.genesisStart,
      previousStart: end.previousStart,
      start: end.next,
      next: to,
      table: newest?.entry.table ?? givenTable(name, options),
      watermark: end.watermark,
      late: null,
      counts: { records: 0, rows: 0, deadLetters: 0, skipped: 0 },
      holes: { offsets: to - end.next, ranges: [{ from: end.next, to }], truncated: false },
      // What the log is now was decided by whoever resets: it is not compared with what it was.
      lastRecord: null,
      files: [],
    }
    const outcome = await journal.claim(entry, { signal, sent: () => {} })
    if (outcome.kind === 'fenced') {
      throw new FencedError({
        code: 'FENCED',
        message: `${name}: a sink claimed offset ${end.next} first, so it goes on by itself. Look again before you reset.`,
        facts: { ...log, start: end.next },
      })
    }
    await journal.publishAndRegister(entry, signal)
  }
  await journal.markSettled(signal)
  return report
}

/** Publishes what is there and notes what is lost. */
const lenientPublisher = ({ files, context }: JournalAccess, lostFiles: string[]) => ({
  async publish(entry: JournalEntry, options: Parameters<Publisher['publish']>[1]): Promise<void> {
    if (entry.files.length === 0) return
    const { bucket, location } = entry.table
    const publisher = new Publisher({ ...context, store: files(bucket), table: { bucket, location } })
    for (const file of entry.files) {
      try {
        await publisher.publish({ ...entry, files: [file] }, options)
      } catch (error) {
        if (!StockpipeError.isInstance(error) || error.code !== 'LOST_UPLOAD') throw error
        lostFiles.push(file.key)
      }
    }
  },
  async register(): Promise<void> {},
})

const givenTable = (name: string, { table, topic }: ResetOptions): EntryTable => {
  if (!table || !topic) {
    throw new ConfigurationError({
      code: 'RESET_TABLE_MISSING',
      message: `${name}: nothing of it was ever published, so the journal knows no table for the entry; give \`table\` and \`topic\` to resetPartitionLog.`,
    })
  }
  return {
    name: table.table.name,
    database: table.database,
    location: table.location,
    bucket: table.bucket,
    fingerprint: table.table.fingerprint,
    definition: table.table.toJSON(),
    encoding: topic.value,
  }
}

const notSettled = (name: string, { start, next }: JournalEntry): ConfigurationError =>
  new ConfigurationError({
    code: 'RESET_UNSETTLED',
    message:
      `${name}: the newest group [${start}, ${next}) has no settled marker, so its files may still be unpublished. Start the sink ` +
      'once and stop it: it settles them even where its position is lost. When it says that files are lost for good, accept that (--accept-lost-files).',
    facts: { start, next },
  })

const backward = (name: string, next: bigint, to: bigint): ConfigurationError =>
  new ConfigurationError({
    code: 'RESET_BACKWARD',
    message:
      `${name}: the journal has everything below offset ${next}, so reading again from ${to} would publish ${next - to} offsets twice. ` +
      'To read them again, use a new sink name and a new location.',
    facts: { next, to },
  })
