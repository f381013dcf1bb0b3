import { join } from 'node:path'
import { type Durability, withoutFsync } from '../../durability.ts'
import { DurableMap } from '../storage/durable-map.ts'

const blockSize = 1000

/** Gives out producer ids; none is given twice, also not after a crash. */
export class ProducerIds {
  readonly #stored: DurableMap<number>
  #next: number
  #reservedBelow: number

  constructor(dataDirectory: string, durability: Durability = withoutFsync) {
    this.#stored = new DurableMap(join(dataDirectory, 'producers.jsonl'), durability)
    this.#next = this.#stored.get('reservedBelow') ?? 0
    this.#reservedBelow = this.#next
  }

  next(): number {
    if (this.#next >= this.#reservedBelow) {
      this.#stored.set('reservedBelow', this.#next + blockSize)
      this.#reservedBelow = this.#next + blockSize
    }
    return this.#next++
  }

  close(): void {
    this.#stored.close()
  }
}
