import { blockMemory } from '@stockpipe/core'

/** What is read of a response and let go once. */
export interface Leased {
  lease: (() => void) | undefined
}

/**
 * Gives the memory of a response back to `blockMemory` when each partition's batches are unpacked. Where kafkajs drops
 * some of them it goes the way of all garbage.
 */
export class ResponseLease {
  readonly #memory: ArrayBufferLike
  #parts = 1

  constructor(response: Buffer) {
    this.#memory = response.buffer
  }

  /** The batches of a partition, which are unpacked together. */
  share(batches: readonly Leased[]): void {
    if (batches.length === 0) return
    this.#parts += 1
    let isLetGo = false
    const lease = () => {
      if (!isLetGo) this.#letGo()
      isLetGo = true
    }
    for (const batch of batches) batch.lease = lease
  }

  /** Every partition has its share. */
  begin(): void {
    this.#letGo()
  }

  #letGo(): void {
    this.#parts -= 1
    if (this.#parts === 0) blockMemory.give(this.#memory)
  }
}
