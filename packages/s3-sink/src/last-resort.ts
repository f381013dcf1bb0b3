import { LostPositionError, type RecordReader, StockpipeError } from '@stockpipe/core'
import { longestPathBytes } from './data-file-key.ts'
import type { PartResponse } from './engine-host.ts'
import type { Engine, EngineOptions } from './engine-messages.ts'
import { isSignedTooLate } from './errors.ts'
import { blockFacts } from './flush-group.ts'
import type { EntryFile, JournalEntry, LastRecord } from './journal-entry.ts'
import { type RetryContext, retry } from './retry.ts'
import { handledWithSchemas } from './schema-engine-host.ts'
import type { SchemaLookup } from './schema-lookup.ts'
import type { SinkObjectStore } from './sink-object-store.ts'
import { longestPath } from './sink-setup.ts'
import { Slots } from './slots.ts'

/**
 * How old the look at the chain may be that a put relies on. The file may be compacted away as soon as its group is
 * settled, so this is far below the 24 hours of a claim.
 */
const longestLookMillis = 5 * 60_000
/** What one PutObject takes. */
const longestPutBytes = 5 * 1024 ** 3

export interface LastResortOptions extends RetryContext {
  readonly store: SinkObjectStore
  readonly reader: RecordReader
  readonly writer: string
  /** Makes an engine with the options given, which are those of the entry's group. */
  readonly createEngine: (options: EngineOptions) => Engine
  readonly engine: EngineOptions
  readonly schemas?: SchemaLookup | undefined
}

export interface PublishAgainOptions {
  /** Whether the chain shows that the entry was published once. */
  readonly movedOn: () => Promise<boolean>
  readonly signal?: AbortSignal | undefined
}

/** The end of step 6: claimed uploads are gone and were never published, so their records are read from Kafka again. */
export class LastResort {
  readonly #options: LastResortOptions
  /** A whole group is held in memory meanwhile. */
  readonly #slots = new Slots(1)

  constructor(options: LastResortOptions) {
    this.#options = options
  }

  /**
   * Reads the entry's group again and puts the lost files under the keys it names, unless something is there.
   *
   * Throws a `LostPositionError` when Kafka no longer has the records, or other ones than the entry says.
   */
  async publish(
    entry: JournalEntry,
    lost: readonly EntryFile[],
    options: PublishAgainOptions,
  ): Promise<void> {
    const { logger, createEngine } = this.#options
    const release = await this.#slots.acquire(options.signal)
    try {
      logger.warn(
        `${nameOf(entry)}: ${lost.length} claimed files lost their uploads; reading offsets ${entry.start} to ${entry.next} from Kafka again.`,
      )
      const engine = createEngine(engineOptions(entry, this.#options.engine))
      try {
        const parts = await this.#readAgain(entry, engine, options.signal)
        await this.#putAgain(entry, lost, engine, parts, options)
      } catch (error) {
        // Somebody faster may have published all of it since, and only then Kafka let go of the records.
        if (!isLostPosition(error) || !(await this.#isPublished(lost, options))) throw error
      } finally {
        engine.close()
      }
    } finally {
      release()
    }
  }

  async #isPublished(
    files: readonly EntryFile[],
    { movedOn, signal }: PublishAgainOptions,
  ): Promise<boolean> {
    const call = signal ? { signal } : {}
    return retry(this.#options, { signal, what: 'looking for files published meanwhile' }, async () => {
      const heads = await Promise.all(files.map(({ key }) => this.#options.store.head(key, call)))
      return heads.every((head) => head !== undefined) || movedOn()
    })
  }

  /** Answers the parts that were whole before the cut, by the number of their file. */
  async #readAgain(
    entry: JournalEntry,
    engine: Engine,
    signal: AbortSignal | undefined,
  ): Promise<Map<number, Uint8Array[]>> {
    const log = { topic: entry.topic, partition: entry.partition }
    const until = signal ?? new AbortController().signal
    return await retry(this.#options, { signal, what: `reading ${nameOf(entry)} again` }, async () => {
      const parts = new Map<number, Uint8Array[]>()
      engine.handle({ kind: 'discard', log })
      let at = entry.start
      let records = 0
      let last: LastRecord | null = null
      try {
        const blocks = this.#options.reader.read(log, entry.start, entry.next, signal ? { signal } : {})
        for await (const block of blocks) {
          if (block.firstOffset !== at || block.nextOffset > entry.next) throw readerFault(entry, at)
          if (block.nextOffset === at) continue
          const facts = blockFacts(block, at)
          at = block.nextOffset
          records += facts.records
          last = facts.lastRecord ?? last
          const request = {
            kind: 'block',
            block,
            from: block.firstOffset,
            watermark: entry.watermark,
          } as const
          // Counted at the cut: what became of each record shows in the files.
          for await (const response of handledWithSchemas(engine, request, this.#options.schemas, until))
            if (response.kind === 'part') keep(parts, response)
        }
      } catch (error) {
        if (isLostPosition(error)) throw recordsGone(entry, error)
        throw error
      }
      if (at !== entry.next) throw readerFault(entry, at)
      const { counts, lastRecord } = entry
      if (records !== counts.records)
        throw differs(entry, `Kafka has ${records} records there, the entry says ${counts.records}`)
      if (last && lastRecord && (last.crc32c !== lastRecord.crc32c || last.offset !== lastRecord.offset)) {
        throw differs(
          entry,
          `the last record there is offset ${last.offset} with checksum ${last.crc32c}, the entry says ${lastRecord.offset} with ${lastRecord.crc32c}`,
        )
      }
      return parts
    })
  }

  async #putAgain(
    entry: JournalEntry,
    lost: readonly EntryFile[],
    engine: Engine,
    parts: Map<number, Uint8Array[]>,
    options: PublishAgainOptions,
  ): Promise<void> {
    const { topic, partition, start, next } = entry
    const lostKeys = new Set(lost.map(({ key }) => key))
    const missing = new Map(entry.files.map((file) => [fileName(file), file]))
    for (const response of engine.handle({ kind: 'cut', log: { topic, partition }, start, next })) {
      if (response.kind === 'part') keep(parts, response)
      if (response.kind !== 'file') continue
      const name = fileName({ ...response, kind: response.content })
      const file = missing.get(name)
      missing.delete(name)
      if (!file || response.rows !== file.rows || response.lastOffset !== file.lastOffset) {
        throw differs(
          entry,
          `they give ${response.rows} rows from offset ${response.firstOffset} to ${response.lastOffset} for ${JSON.stringify(response.partitionValues)}, ` +
            (file
              ? `the entry says ${file.rows} rows from ${file.firstOffset} to ${file.lastOffset}`
              : 'which the entry does not name'),
        )
      }
      if (lostKeys.has(file.key)) await this.#put(entry, file, parts.get(response.file) ?? [], options)
      parts.delete(response.file)
    }
    const [file] = missing.values()
    if (file) throw differs(entry, `they give no row for ${file.key}, the entry says ${file.rows}`)
  }

  async #put(
    entry: JournalEntry,
    { key }: EntryFile,
    parts: readonly Uint8Array[],
    { movedOn, signal }: PublishAgainOptions,
  ): Promise<void> {
    const { store, writer, runtime } = this.#options
    const body = parts.length === 1 ? parts[0]! : new Uint8Array(Buffer.concat(parts))
    if (body.length > longestPutBytes)
      throw differs(entry, `${key} has ${body.length} bytes, more than one put takes`)
    await retry(this.#options, { signal, what: `publishing ${key} again` }, async () => {
      for (;;) {
        const looked = runtime.now()
        if (await movedOn()) return
        try {
          // Whether it is ours or somebody was faster, an object is at the key.
          await store.putIfAbsent(key, body, {
            ...(signal ? { signal } : {}),
            contentType: 'application/vnd.apache.parquet',
            dataFile: true,
            metadata: {
              sink: entry.sink,
              writer: entry.writer,
              'claim-id': entry.claimId,
              start: entry.start.toString(),
              'read-again-by': writer,
            },
            signedBefore: looked + longestLookMillis,
          })
          return
        } catch (error) {
          if (!isSignedTooLate(error)) throw error
        }
      }
    })
  }
}

const keep = (parts: Map<number, Uint8Array[]>, { file, bytes }: PartResponse): void => {
  const known = parts.get(file)
  if (known) known.push(bytes)
  else parts.set(file, [bytes])
}

/** The engine as the group was decoded and routed with, whatever the table has become since. */
const engineOptions = (entry: JournalEntry, options: EngineOptions): EngineOptions => {
  const { location, bucket, definition, encoding } = entry.table
  const prefix = location.slice(`s3://${bucket}/`.length)
  const { eventTimeBoundary: _, late: __, ...others } = options
  return {
    ...others,
    ...(entry.late ? { late: entry.late } : {}),
    topic: { formatVersion: 1, name: entry.topic, partitions: 1, table: definition, value: encoding },
    maxPathBytes: Math.min(longestPath, longestPathBytes(prefix, entry.topic)),
    fileStarts: entry.files.map((file) => ({ content: file.kind, ...file })),
  }
}

const isLostPosition = (error: unknown): error is StockpipeError =>
  StockpipeError.isInstance(error) && error.name === 'LostPositionError'

const nameOf = ({ topic, partition }: JournalEntry): string => `${topic}-${partition}`

/** A file as the engine knows it. */
const fileName = (file: Pick<EntryFile, 'kind' | 'partitionValues' | 'firstOffset'>): string =>
  JSON.stringify([file.kind, file.partitionValues, file.firstOffset.toString()])

const acceptLoss = (entry: JournalEntry): string =>
  'Bring the records back (a mirror, tiered storage, a copy of the files at the keys the entry names), or accept that its ' +
  `${entry.counts.rows + entry.counts.deadLetters} rows are lost: stockpipe journal reset --accept-lost-files --to ${entry.next}`

const facts = ({ topic, partition, start, next }: JournalEntry) => ({ topic, partition, start, next })

const recordsGone = (entry: JournalEntry, cause: StockpipeError): LostPositionError =>
  new LostPositionError({
    code: 'LOST_POSITION',
    message:
      `${nameOf(entry)}: the files of the group [${entry.start}, ${entry.next}) were claimed and lost before they were published, ` +
      `and Kafka no longer has its records: its log begins at ${String(cause.facts['logStart'] ?? 'a later offset')}. ${acceptLoss(entry)}.`,
    cause,
    facts: { ...cause.facts, ...facts(entry) },
  })

const differs = (entry: JournalEntry, how: string): LostPositionError =>
  new LostPositionError({
    code: 'READ_AGAIN_DIFFERS',
    message:
      `${nameOf(entry)}: the files of the group [${entry.start}, ${entry.next}) were claimed and lost before they were published, ` +
      `and its records are not what they were: ${how}. Nothing is published in their place. ${acceptLoss(entry)}.`,
    facts: facts(entry),
  })

const readerFault = (entry: JournalEntry, at: bigint): StockpipeError =>
  new StockpipeError({
    code: 'RECORD_READER_GAP',
    message: `${nameOf(entry)}: \`readAgain\` was asked for offsets ${entry.start} to ${entry.next} and did not go on at ${at}: a fault of the reader.`,
    facts: { ...facts(entry), at },
  })
