import {
  type BoundTable,
  ConfigurationError,
  type PartitionRegistrar,
  type PartitionToRegister,
  type StockpipeError,
} from '@stockpipe/core'
import type { AccessWatch } from './access-watch.ts'
import { LostUploadError, ObjectStoreError } from './errors.ts'
import type { EntryFile, JournalEntry } from './journal-entry.ts'
import type { LastResort, PublishAgainOptions } from './last-resort.ts'
import { type RetryContext, retry } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'
import { atOnce } from './slots.ts'

const completionsAtOnce = 8
/** A completion that was given up may still be at work: the upload is gone and the object not there yet. */
const looksBeforeLost = 3
const rememberedPartitions = 100_000
/** After that the catalog is asked again: the partition may have been dropped, or its location switched. */
const rememberedMillis = 600_000

export interface PublisherOptions extends RetryContext {
  readonly store: SinkObjectStore
  readonly table: Pick<BoundTable, 'bucket' | 'location'>
  readonly registrar?: PartitionRegistrar | undefined
  /** Without it a lost upload is an error at once. */
  readonly lastResort?: LastResort | undefined
  /** Tells a registrar that is refused for a while from one that never was allowed to. */
  readonly access?: AccessWatch | undefined
}

/** Publishes and registers what an entry names, whoever claimed it. Both may be done any number of times. */
export class Publisher {
  readonly #options: PublisherOptions
  /** Locations, and until when they are taken to be registered, by the monotonic clock. */
  readonly #registered = new Map<string, number>()

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /**
   * Completes the uploads of an entry; what is gone and was never published is left to the last resort.
   *
   * Throws a `LostUploadError` when there is none, and a `LostPositionError` when it cannot help.
   */
  async publish(entry: JournalEntry, options: PublishAgainOptions): Promise<void> {
    if (entry.table.bucket !== this.#options.table.bucket) {
      throw new ConfigurationError({
        code: 'SETTLE_OTHER_BUCKET',
        message:
          `The newest group of ${entry.topic}-${entry.partition} waits in ${entry.table.location}, another bucket than the ` +
          `table's ${this.#options.table.location}. Run the sink with the former location once, then move.`,
      })
    }
    const publish = async (file: EntryFile) => {
      try {
        await this.#publishFile(entry, file, options)
        return []
      } catch (error) {
        if (error instanceof LostUploadError) return [{ file, error }]
        throw error
      }
    }
    const losses = await atOnce(completionsAtOnce, entry.files, publish, options.signal)
    const lost = losses.flat()
    if (lost.length === 0) return
    if (!this.#options.lastResort) throw lost[0]!.error
    const files = lost.map(({ file }) => file)
    await this.#options.lastResort.publish(entry, files, options)
  }

  /** Makes the partitions of an entry known to the catalog, those this process has not registered within the last ten minutes. */
  async register(entry: JournalEntry, signal?: AbortSignal): Promise<void> {
    const { registrar, access, runtime } = this.#options
    if (!registrar) return
    const now = runtime.monotonic()
    const isKnown = ({ location }: PartitionToRegister) => (this.#registered.get(location) ?? now) > now
    const partitions = partitionsOf(entry).filter((partition) => !isKnown(partition))
    if (partitions.length === 0) return
    const register = () =>
      registrar.register(partitions, { ...(signal ? { signal } : {}), onSwitched: this.#tellSwitched })
    await retry(this.#options, { signal, what: `registering partitions of ${entry.table.name}` }, () =>
      access ? access.call('registering partitions', register) : register(),
    )
    if (this.#registered.size > rememberedPartitions) this.#registered.clear()
    for (const { location } of partitions) this.#registered.set(location, now + rememberedMillis)
  }

  readonly #tellSwitched = ({ location }: PartitionToRegister): void =>
    this.#options.logger.warn(
      `Rows came to ${location} after its partition was compacted or retired: queries see them from the next run of stockpipe compact on.`,
    )

  async #publishFile(entry: JournalEntry, file: EntryFile, options: PublishAgainOptions): Promise<void> {
    const { store } = this.#options
    const call = options.signal ? { signal: options.signal } : {}
    let looks = 0
    await retry(this.#options, { signal: options.signal, what: `publishing ${file.key}` }, async () => {
      let refusal: unknown
      try {
        if ((await store.completeUpload(file.key, file.uploadId, file.parts, call)) === 'completed') return
      } catch (error) {
        if (!(error instanceof ObjectStoreError) || error.outcome === 'unknown' || error.retryable)
          throw error
        refusal = error
      }
      // Any object at the key is proof: no two stagings share one.
      looks += 1
      if (await this.#isThere(file.key, call, looks < looksBeforeLost)) return
      if (await options.movedOn()) return
      if (refusal instanceof ObjectStoreError && (refusal.status === 401 || refusal.status === 403))
        throw refusal
      throw lostUpload(entry, file, refusal, looks < looksBeforeLost)
    })
  }

  /** `again`: access may have lapsed just now, which the next completion shows. */
  async #isThere(key: string, call: { readonly signal?: AbortSignal }, again: boolean): Promise<boolean> {
    try {
      return (await this.#options.store.head(key, call)) !== undefined
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.status !== 403) throw error
      throw new ConfigurationError({
        code: 'HEAD_FORBIDDEN',
        message: `HEAD of ${key} is forbidden, so nobody can tell whether it is published. Allow s3:GetObject and s3:ListBucket.`,
        retryable: again,
        cause: error,
        facts: { key },
      })
    }
  }
}

const lostUpload = (entry: JournalEntry, file: EntryFile, cause: unknown, again: boolean): StockpipeError =>
  new LostUploadError({
    code: 'LOST_UPLOAD',
    message:
      `${file.key} was claimed (${entry.topic}-${entry.partition}, group [${entry.start}, ${entry.next})) but its upload is ` +
      `gone and it was never published. Its ${file.rows} rows lie between offsets ${file.firstOffset} and ${file.lastOffset}: ` +
      'they have to be read from Kafka again: give the sink `readAgain`. Nothing after them is published until then.',
    retryable: again,
    cause,
    facts: {
      topic: entry.topic,
      partition: entry.partition,
      key: file.key,
      start: entry.start,
      next: entry.next,
      firstOffset: file.firstOffset,
      lastOffset: file.lastOffset,
    },
  })

/** The partitions of the catalog that an entry's data files belong to. */
export const partitionsOf = (entry: JournalEntry): PartitionToRegister[] => {
  const partitions = new Map<string, PartitionToRegister>()
  for (const { kind, key, partitionValues } of entry.files) {
    if (kind !== 'data' || partitionValues.length === 0) continue
    const location = `s3://${entry.table.bucket}/${key.slice(0, key.lastIndexOf('/') + 1)}`
    partitions.set(location, { values: partitionValues, location })
  }
  return [...partitions.values()]
}
