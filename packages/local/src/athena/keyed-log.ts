import type { Durability } from '../durability.ts'
import { AppendLog } from '../glue/append-log.ts'

type Entry<Value> = readonly ['set', string, Value] | readonly ['delete', string]

/** Values by key, in memory and in a log on disk. */
export class KeyedLog<Value> {
  readonly #values = new Map<string, Value>()
  readonly #log: AppendLog<Entry<Value>>

  constructor(path: string, durability: Durability) {
    this.#log = AppendLog.open<Entry<Value>>(path, (entry) => this.#apply(entry), durability)
  }

  get(key: string): Value | undefined {
    return this.#values.get(key)
  }

  /** All values, in the order their keys came in. */
  values(): readonly Value[] {
    return [...this.#values.values()]
  }

  set(key: string, value: Value): void {
    this.#commit(['set', key, value])
  }

  delete(key: string): void {
    this.#commit(['delete', key])
  }

  close(): void {
    this.#log.close()
  }

  #commit(entry: Entry<Value>): void {
    this.#log.append(entry)
    this.#apply(entry)
    this.#log.compactWhenGrown(() => [...this.#values].map(([key, value]) => ['set', key, value] as const))
  }

  #apply(entry: Entry<Value>): void {
    if (entry[0] === 'set') this.#values.set(entry[1], entry[2])
    else this.#values.delete(entry[1])
  }
}
