import type { DeadLetter, DeadLetterPublisher, TopicPartition } from '@stockpipe/core'
import { readDeadLetterFile } from './dead-letter-file.ts'
import { type JournalAccess, type JournalAccessOptions, journalAccess } from './journal-access.ts'
import { readEntry } from './journal-entry.ts'
import { journalBytes } from './json-fields.ts'
import { retry } from './retry.ts'

const entriesAtOnce = 16
const attempts = 6

/** A file of the dead letters of one flush group; a large group has several. */
export interface DeadLetterFile extends TopicPartition {
  /** The group: `[start, next)`. */
  readonly start: bigint
  readonly next: bigint
  /** Which of the group's files it is, from 0. */
  readonly file: number
  readonly bucket: string
  readonly key: string
  readonly records: number
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  /** ISO 8601: when the group was claimed. */
  readonly claimedAt: string
}

/** `sent`; `before`: an earlier replay to that topic has sent it; `missing`: not published yet, or deleted since. */
export type ReplayOutcome = 'sent' | 'before' | 'missing'

export interface ReplayOptions {
  /** Name of the topic that `publisher` sends to. */
  readonly topic: string
  readonly publisher: DeadLetterPublisher
  /** Only the dead letters of this partition log. */
  readonly log?: TopicPartition
  /** Sends files that were replayed to this topic before, too. Default false. */
  readonly again?: boolean
  readonly onFile?: (file: DeadLetterFile, outcome: ReplayOutcome) => void
}

/** The dead letters of a sink, as its journal names them. */
export interface DeadLetters {
  /** By partition log and offset. Groups whose entries are pruned are not among them; their files stay readable. */
  files(log?: TopicPartition): AsyncIterable<DeadLetterFile>
  /** The records of a file, by offset; undefined when it is not published yet, or was deleted since. */
  read(file: DeadLetterFile): Promise<readonly DeadLetter[] | undefined>
  /**
   * Sends dead letters to a topic, file by file, and notes in the journal which were sent there. At least once: what an
   * interrupted replay had sent of its last file is sent again by the next. Answers how many records were sent.
   */
  replay(options: ReplayOptions): Promise<number>
}

class JournalDeadLetters implements DeadLetters {
  readonly #access: JournalAccess

  constructor(access: JournalAccess) {
    this.#access = access
  }

  async *files(log?: TopicPartition): AsyncGenerator<DeadLetterFile> {
    const groups = await this.#groups(log)
    for (let at = 0; at < groups.length; at += entriesAtOnce) {
      const batch = groups.slice(at, at + entriesAtOnce).map((group) => this.#filesOf(group))
      for (const files of await Promise.all(batch)) yield* files
    }
  }

  async read({ bucket, key }: DeadLetterFile): Promise<readonly DeadLetter[] | undefined> {
    const { files, signal } = this.#access
    const store = files(bucket)
    const bytes = await this.#retry(`reading ${key}`, () => store.get(key, signal ? { signal } : {}))
    return bytes && readDeadLetterFile(bytes, key)
  }

  async replay({ topic, publisher, log, again = false, onFile }: ReplayOptions): Promise<number> {
    const { keys, store, signal, context } = this.#access
    const call = signal ? { signal } : {}
    let sent = 0
    for await (const file of this.files(log)) {
      const marker = keys.replayed(topic, file, file.start, file.file)
      const before = await this.#retry(`reading ${marker}`, () => store.head(marker, call))
      if (before && !again) {
        onFile?.(file, 'before')
        continue
      }
      const deadLetters = await this.read(file)
      if (!deadLetters) {
        onFile?.(file, 'missing')
        continue
      }
      await this.#retry(`sending ${file.key} to ${topic}`, () => publisher.publish(deadLetters, call))
      const note = journalBytes({
        format: 'stockpipe-replay',
        formatVersion: 1,
        topic,
        file: `s3://${file.bucket}/${file.key}`,
        records: file.records,
        replayedAt: new Date(context.runtime.now()).toISOString(),
      })
      await this.#retry(`writing ${marker}`, () => store.putIfAbsent(marker, note, call))
      sent += deadLetters.length
      onFile?.(file, 'sent')
    }
    return sent
  }

  async #groups(log: TopicPartition | undefined): Promise<readonly { log: TopicPartition; start: bigint }[]> {
    const { keys, store, signal } = this.#access
    const prefix = log ? keys.groups(log) : keys.groupsPrefix
    return this.#retry(`listing ${prefix}`, async () => {
      const groups: { log: TopicPartition; start: bigint }[] = []
      for await (const { key } of store.list(prefix, signal ? { signal } : {})) {
        const group = keys.read(key)
        if (group?.kind === 'entry') groups.push(group)
      }
      return groups.sort(
        (left, right) =>
          left.log.topic.localeCompare(right.log.topic) ||
          left.log.partition - right.log.partition ||
          Number(left.start - right.start),
      )
    })
  }

  async #filesOf({ log, start }: { log: TopicPartition; start: bigint }): Promise<readonly DeadLetterFile[]> {
    const { keys, store, signal } = this.#access
    const entryKey = keys.entry(log, start)
    const bytes = await this.#retry(`reading ${entryKey}`, () =>
      store.get(entryKey, signal ? { signal } : {}),
    )
    // Pruned since it was listed.
    if (!bytes) return []
    const entry = readEntry(bytes, entryKey, { sink: keys.sink, log, start })
    return entry.files
      .filter(({ kind }) => kind === 'dead-letters')
      .map(({ key, rows, firstOffset, lastOffset }, file) => ({
        ...log,
        start,
        next: entry.next,
        file,
        bucket: entry.table.bucket,
        key,
        records: rows,
        firstOffset,
        lastOffset,
        claimedAt: entry.createdAt,
      }))
  }

  #retry<T>(what: string, call: () => Promise<T>): Promise<T> {
    const { context, signal } = this.#access
    return retry(context, { signal, attempts, what }, call)
  }
}

/**
 * The dead letters of the sink behind a journal.
 *
 * Throws a `ConfigurationError` when there is nothing to reach the journal with. Its calls reject with an
 * `ObjectStoreError` when S3 cannot be read, and with a `JournalFormatError` for an entry that is damaged or newer.
 */
export const openDeadLetters = (options: JournalAccessOptions): DeadLetters =>
  new JournalDeadLetters(journalAccess(options))
