import {
  type Generation,
  type PartitionGenerations,
  partitionFiles,
  readGenerations,
} from './compaction-log.ts'
import type { EntryFile, JournalEntry } from './journal-entry.ts'
import type { JournalKeys } from './journal-keys.ts'
import type { ReadableStore } from './retrying-reads.ts'
import type { ReportProblem } from './verify-chain.ts'

/** Listings of the same generations that a run makes at most, when files go while it looks. */
const readsAgain = 8

/** What the journal tells of compactions, as `verify` asks it. */
export class VerifiedCompactions {
  readonly #read: () => Promise<ReadonlyMap<string, PartitionGenerations>>
  #partitions: ReadonlyMap<string, PartitionGenerations> = new Map()
  #bySource = new Map<string, Generation>()
  #reads = 0
  #reading: Promise<void> | undefined

  private constructor(read: () => Promise<ReadonlyMap<string, PartitionGenerations>>) {
    this.#read = read
  }

  /** Reads them; call it when the files of groups were listed, so that whatever is gone by then is explained. */
  static async read(
    store: ReadableStore,
    keys: JournalKeys,
    problem: ReportProblem,
    signal: AbortSignal | undefined,
  ): Promise<VerifiedCompactions> {
    const told = new Set<string>()
    const compactions = new VerifiedCompactions(() =>
      readGenerations(store, keys, {
        signal,
        unreadable: ({ code, message }, key) => {
          if (!told.has(key)) problem(code, message, keys.bucket, key)
          told.add(key)
        },
      }),
    )
    await compactions.#readAgain()
    return compactions
  }

  get partitions(): readonly PartitionGenerations[] {
    return [...this.#partitions.values()]
  }

  /** The generation that took a file over. */
  takenBy(bucket: string, key: string): Generation | undefined {
    return this.#bySource.get(`s3://${bucket}/${key}`)
  }

  /** Whether a file may be gone: a generation to which the catalog was switched has taken its rows over. */
  mayBeGone(bucket: string, key: string): boolean {
    return this.takenBy(bucket, key)?.switched !== undefined
  }

  /** The same for a file that went after the generations were read. */
  async hasGone(bucket: string, key: string): Promise<boolean> {
    // The second time what began before the file was missed does not count.
    for (let round = 0; round < 2 && !this.mayBeGone(bucket, key) && this.#reads < readsAgain; round += 1) {
      this.#reading ??= this.#readAgain()
      await this.#reading
    }
    return this.mayBeGone(bucket, key)
  }

  /** The newest generation of the partition a file of a group belongs to. */
  newestOf({ table }: JournalEntry, { key }: EntryFile): Generation | undefined {
    const prefix = table.location.slice(`s3://${table.bucket}/`.length)
    const newest = this.#partitions
      .get(key.slice(prefix.length, key.lastIndexOf('/') + 1))
      ?.generations.at(-1)
    return newest?.record.table.location === table.location ? newest : undefined
  }

  async #readAgain(): Promise<void> {
    this.#reads += 1
    this.#partitions = await this.#read()
    this.#bySource = new Map(
      this.partitions.flatMap((partition) =>
        [...partitionFiles(partition).consumed].map(([key, generation]) => [
          `s3://${generation.record.table.bucket}/${key}`,
          generation,
        ]),
      ),
    )
    this.#reading = undefined
  }
}
