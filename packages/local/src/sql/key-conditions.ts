/** Says of a partition key's value whether files of a partition with it may hold rows that a condition keeps. */
export type PartitionValuePredicate = (value: string | null) => boolean

/** What conditions ask of the partition keys of one scan. */
export class KeyConditions {
  /** By the place of their partition key. */
  readonly #predicates = new Map<number, PartitionValuePredicate[]>()
  readonly #conditions: string[] = []
  /** Of each named query above the scan, what its readers ask: one of them is enough. */
  readonly #readers: KeyConditions[][] = []

  addPredicate(keyIndex: number, predicate: PartitionValuePredicate): void {
    this.#predicates.set(keyIndex, [...(this.#predicates.get(keyIndex) ?? []), predicate])
  }

  /** Takes SQL over nothing but the keys. */
  addCondition(sql: string): void {
    this.#conditions.push(sql)
  }

  /** A place for the conditions of each reader of a named query. */
  addReaders(): KeyConditions[] {
    const readers: KeyConditions[] = []
    this.#readers.push(readers)
    return readers
  }

  keepValue(keyIndex: number, value: string | null): boolean {
    const keeps = (conditions: KeyConditions): boolean => conditions.keepValue(keyIndex, value)
    return (
      (this.#predicates.get(keyIndex)?.every((predicate) => predicate(value)) ?? true) &&
      this.#readers.every((readers) => readers.length === 0 || readers.some(keeps))
    )
  }

  /** All conditions as SQL; undefined where there are none. */
  sql(): string | undefined {
    const ofReaders = this.#readers.flatMap((readers) => {
      const each = readers.map((reader) => reader.sql())
      return each.length === 0 || each.includes(undefined) ? [] : [each.join(' OR ')]
    })
    const all = [...this.#conditions, ...ofReaders].map((sql) => `(${sql})`)
    return all.length === 0 ? undefined : all.join(' AND ')
  }
}
