import type { GluePartition, StorageDescriptor } from './catalog-model.ts'

/** What tells one partition of a table from another; also the order in which they are listed. */
export const partitionKeyOf = (values: readonly string[]): string => JSON.stringify(values)

/** One slice of a listing. */
export interface PartitionPage {
  readonly partitions: readonly GluePartition[]
  /** Pass as `after` to go on; undefined at the end. */
  readonly next?: string
}

/** The partitions of one table, in the order of their values. */
export class TablePartitions {
  readonly #byKey = new Map<string, GluePartition>()
  readonly #columnLists = new Map<string, StorageDescriptor['Columns']>()
  #sortedKeys: string[] | undefined

  get size(): number {
    return this.#byKey.size
  }

  get(values: readonly string[]): GluePartition | undefined {
    return this.#byKey.get(partitionKeyOf(values))
  }

  put(partition: GluePartition): void {
    const key = partitionKeyOf(partition.Values)
    if (!this.#byKey.has(key)) this.#sortedKeys = undefined
    this.#byKey.set(key, this.#withSharedColumns(partition))
  }

  remove(values: readonly string[]): void {
    if (this.#byKey.delete(partitionKeyOf(values))) this.#sortedKeys = undefined
  }

  list(predicate: (values: readonly string[]) => boolean): readonly GluePartition[] {
    return this.#sorted()
      .map((key) => this.#byKey.get(key) as GluePartition)
      .filter((partition) => predicate(partition.Values))
  }

  /** At most `limit` partitions that `predicate` accepts, beyond the key `after`. */
  page(options: {
    readonly after?: string | undefined
    readonly limit: number
    readonly predicate: (values: readonly string[]) => boolean
  }): PartitionPage {
    const keys = this.#sorted()
    const partitions: GluePartition[] = []
    let last: string | undefined
    for (
      let at = options.after === undefined ? 0 : firstAbove(keys, options.after);
      at < keys.length;
      at += 1
    ) {
      const key = keys[at] as string
      const partition = this.#byKey.get(key) as GluePartition
      if (!options.predicate(partition.Values)) continue
      if (partitions.length === options.limit)
        return last === undefined ? { partitions } : { partitions, next: last }
      partitions.push(partition)
      last = key
    }
    return { partitions }
  }

  #sorted(): readonly string[] {
    this.#sortedKeys ??= [...this.#byKey.keys()].sort()
    return this.#sortedKeys
  }

  /** Thousands of partitions carry the same column list: one copy is kept in memory. */
  #withSharedColumns(partition: GluePartition): GluePartition {
    const columns = partition.StorageDescriptor?.Columns
    if (columns === undefined) return partition
    const text = JSON.stringify(columns)
    const shared = this.#columnLists.get(text) ?? columns
    this.#columnLists.set(text, shared)
    return { ...partition, StorageDescriptor: { ...partition.StorageDescriptor, Columns: shared } }
  }
}

function firstAbove(sorted: readonly string[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as string) <= key) low = middle + 1
    else high = middle
  }
  return low
}
