/** What was fetched, as far as leader epochs go: a batch, or the offset at which one that is not shown ends. */
export interface FetchedEpoch {
  /** Of its last record. */
  readonly offset: string
  /** Undefined, or negative, where nothing is known. */
  readonly leaderEpoch: number | undefined
}

/** A log changes its leader so often before the oldest are forgotten. */
const longestHistory = 100

/** In which leader epoch what was fetched of a log was written, as Kafka's brokers keep it for their replicas. */
export class EpochHistory {
  /** Ascending by offset: records from `start` on are of that epoch. */
  readonly #starts: { readonly start: bigint; readonly leaderEpoch: number }[] = []

  /** @param last a record that was taken before; reading goes on at it or behind it */
  constructor(last?: { readonly offset: bigint; readonly leaderEpoch: number }) {
    if (last) this.#starts.push({ start: last.offset, leaderEpoch: last.leaderEpoch })
  }

  /** The leader epoch of the last record before an offset; undefined when that is not known. */
  before(offset: bigint): number | undefined {
    return this.#starts.findLast(({ start }) => start < offset)?.leaderEpoch
  }

  /** Takes note of what was fetched from an offset on. What was known of that offset and the ones behind it is forgotten. */
  fetched(from: bigint, batches: readonly FetchedEpoch[]): void {
    while (this.#starts.length > 0 && this.#starts.at(-1)!.start >= from) this.#starts.pop()
    let start = from
    for (const { offset, leaderEpoch = -1 } of batches) {
      const isAnother = leaderEpoch >= 0 && this.#starts.at(-1)?.leaderEpoch !== leaderEpoch
      if (isAnother) this.#starts.push({ start, leaderEpoch })
      start = BigInt(offset) + 1n
    }
    if (this.#starts.length > longestHistory) this.#starts.splice(0, this.#starts.length - longestHistory)
  }
}
