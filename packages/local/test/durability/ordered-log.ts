import { expect } from 'vitest'
import type { Durability } from '../../src/durability.ts'
import type { Storage } from './machine.ts'

/** Changes made together; null is a deletion. */
export type Changes = readonly (readonly [key: string, value: number | null])[]

/** A map kept in a file, as one of them is opened. */
export interface KeptMap {
  apply(changes: Changes): void
  entries(): Iterable<readonly [string, number]>
}

/** After any end the map is as some change has left it, none acknowledged before that one missing. */
export class OrderedLog implements Storage<Changes> {
  readonly #openMap: (directory: string, durability: Durability) => KeptMap
  #map: KeptMap | undefined
  #durability: Durability | undefined
  /** After each change. */
  #states: ReadonlyMap<string, number>[] = [new Map()]
  #acknowledged = 0

  constructor(openMap: (directory: string, durability: Durability) => KeptMap) {
    this.#openMap = openMap
  }

  open(directory: string, durability: Durability): void {
    this.#durability = durability
    this.#map = this.#openMap(directory, durability)
  }

  verify(): void {
    const found = JSON.stringify([...this.#map!.entries()].sort())
    const possible = this.#states.slice(this.#acknowledged)
    const texts = possible.map((state) => JSON.stringify([...state].sort()))
    expect(texts).toContain(found)
    // After a kill an earlier one may be on the disk still.
    this.#states = possible.slice(0, texts.lastIndexOf(found) + 1)
    this.#acknowledged = 0
  }

  async begin(changes: Changes) {
    const state = new Map(this.#states.at(-1))
    for (const [key, value] of changes) {
      if (value === null) state.delete(key)
      else state.set(key, value)
    }
    const number = this.#states.push(state) - 1
    this.#map!.apply(changes)
    return { acknowledged: this.#acknowledge(number) }
  }

  async #acknowledge(number: number): Promise<void> {
    await this.#durability!.settled()
    this.#acknowledged = Math.max(this.#acknowledged, number)
  }
}
