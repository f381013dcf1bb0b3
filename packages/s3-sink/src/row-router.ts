import { type ColumnBatch, partitionPath, type TableDefinition } from '@stockpipe/core'
import { PartitionValues, unroutable } from './partition-value.ts'
import { reusedArray } from './reused-array.ts'

/** A row that no path can take. */
export interface UnroutableRow {
  readonly row: number
  readonly column: string
  /** A sentence. */
  readonly reason: string
}

/** The rows of a batch sorted by path, in their own order within each. */
export interface RoutedRows {
  /** Holds until the next batch is routed, by whatever router. */
  readonly order: Uint32Array
  /** Ids of the paths that rows go to. */
  readonly paths: readonly number[]
  /** Rows of `paths[i]` are `order[starts[i], starts[i + 1])`. */
  readonly starts: readonly number[]
  readonly unroutable: readonly UnroutableRow[]
}

/** Arrays for one batch, of all routers: a batch is routed and taken over before the next one. */
const reused = {
  combined: reusedArray(Int32Array),
  order: reusedArray(Uint32Array),
}

/**
 * Sends rows to paths: a path is the tuple of a row's partition values, and its number the order of its
 * first appearance here. A pure function of the row and the table; no object is made for a row.
 */
export class RowRouter {
  readonly #table: TableDefinition
  readonly #maxPathBytes: number
  readonly #partitions: { readonly values: PartitionValues; readonly source: number }[]
  /** One map a partition: id so far * 2^26 + id of the value -> id of both. */
  readonly #combinations: Map<number, number>[]
  /** Pairs behind the ids of each combination. */
  readonly #pairs: { readonly left: number; readonly value: number }[][]
  /** Combination -> path, or `unroutable` for a path too long. */
  readonly #pathIds = new Map<number, number>()
  readonly #paths: (readonly (string | null)[])[] = []

  /** @param maxPathBytes UTF-8 bytes that `k1=v1/k2=v2/` may have; rows of longer paths are unroutable */
  constructor(table: TableDefinition, maxPathBytes: number) {
    this.#table = table
    this.#maxPathBytes = maxPathBytes
    this.#partitions = table.partitions.map((partition) => {
      const source = table.columns.findIndex((column) => column.name === partition.source)
      return { values: new PartitionValues(partition, table.columns[source]!), source }
    })
    this.#combinations = this.#partitions.map(() => new Map())
    this.#pairs = this.#partitions.map(() => [])
  }

  /** Partition values of a path, in the order of the table's partitions. */
  valuesOf(path: number): readonly (string | null)[] {
    return this.#paths[path]!
  }

  /** Memory held, estimated. */
  get capacityBytes(): number {
    let bytes = this.#paths.length * 200
    for (const { values } of this.#partitions) bytes += values.capacityBytes
    for (const combination of this.#combinations) bytes += combination.size * 80
    return bytes
  }

  /** Routes the rows from `begin` on, without those that `skip` marks. */
  route(batch: ColumnBatch, begin: number, skip?: Uint8Array): RoutedRows {
    const faults: UnroutableRow[] = []
    const combined = reused.combined(batch.rows).fill(0)
    for (let row = begin; skip && row < batch.rows; row += 1) if (skip[row]) combined[row] = unroutable
    for (let level = 0; level < this.#partitions.length; level += 1) {
      const { values, source } = this.#partitions[level]!
      const ids = values.idsOf(batch.columns[source]!, begin, batch.rows)
      const { name, source: column } = values.definition
      this.#combine(level, combined, ids, begin, (row) =>
        faults.push({
          row,
          column,
          reason: `'${column}' lies outside the years 1 to 9999, so that partition '${name}' has no value`,
        }),
      )
    }
    this.#toPaths(combined, begin, faults)
    return { ...sortByPath(combined, begin, this.#paths.length), unroutable: faults }
  }

  /** The ids of the partitions before this one become ids of the pair, in place. */
  #combine(
    level: number,
    combined: Int32Array,
    ids: Int32Array,
    begin: number,
    onUnroutable: (row: number) => void,
  ): void {
    const lefts = this.#pairs[level - 1]?.length ?? 1
    const values = this.#partitions[level]!.values.texts.length
    // Few pairs are looked up in a table made for the batch; many, row by row in the map.
    const pairs =
      lefts * values <= 4096 + 4 * combined.length ? new Int32Array(lefts * values).fill(-1) : undefined
    for (let row = begin; row < combined.length; row += 1) {
      const left = combined[row]!
      if (left === unroutable) continue
      const value = ids[row]!
      if (value === unroutable) {
        combined[row] = unroutable
        onUnroutable(row)
        continue
      }
      if (pairs === undefined) {
        combined[row] = this.#pairId(level, left, value)
        continue
      }
      const at = left * values + value
      let id = pairs[at]!
      if (id < 0) pairs[at] = id = this.#pairId(level, left, value)
      combined[row] = id
    }
  }

  #pairId(level: number, left: number, value: number): number {
    const key = left * 67_108_864 + value
    const known = this.#combinations[level]!.get(key)
    if (known !== undefined) return known
    const id = this.#pairs[level]!.push({ left, value }) - 1
    this.#combinations[level]!.set(key, id)
    return id
  }

  /** Combination ids become path ids, in place. */
  #toPaths(combined: Int32Array, begin: number, faults: UnroutableRow[]): void {
    const last = this.#partitions.length - 1
    const pathOf = new Int32Array(last < 0 ? 1 : this.#pairs[last]!.length).fill(-2)
    for (let row = begin; row < combined.length; row += 1) {
      const combination = combined[row]!
      if (combination === unroutable) continue
      let path = pathOf[combination]!
      if (path === -2) pathOf[combination] = path = this.#pathId(combination)
      combined[row] = path
      if (path !== unroutable) continue
      faults.push({
        row,
        column: this.#partitions[last]!.values.definition.source,
        reason: `the partition path takes more than ${this.#maxPathBytes} bytes of an S3 key`,
      })
    }
  }

  #pathId(combination: number): number {
    const known = this.#pathIds.get(combination)
    if (known !== undefined) return known
    const values: (string | null)[] = []
    let id = combination
    for (let level = this.#partitions.length - 1; level >= 0; level -= 1) {
      const { left, value } = this.#pairs[level]![id]!
      values.unshift(this.#partitions[level]!.values.texts[value]!)
      id = left
    }
    const bytes = new TextEncoder().encode(partitionPath(this.#table.partitions, values)).length
    const path = bytes > this.#maxPathBytes ? unroutable : this.#paths.push(values) - 1
    this.#pathIds.set(combination, path)
    return path
  }
}

/** A counting sort: stable, so that rows keep their order within a path. */
const sortByPath = (
  pathOfRow: Int32Array,
  begin: number,
  pathCount: number,
): Omit<RoutedRows, 'unroutable'> => {
  const counts = new Int32Array(pathCount)
  let routed = 0
  const paths: number[] = []
  for (let row = begin; row < pathOfRow.length; row += 1) {
    const path = pathOfRow[row]!
    if (path < 0) continue
    if (counts[path] === 0) paths.push(path)
    counts[path]! += 1
    routed += 1
  }
  const starts: number[] = [0]
  // From here on a count is where the path's next row goes.
  for (const path of paths) {
    const start = starts[starts.length - 1]!
    starts.push(start + counts[path]!)
    counts[path] = start
  }
  const order = reused.order(routed)
  for (let row = begin; row < pathOfRow.length; row += 1) {
    const path = pathOfRow[row]!
    if (path >= 0) order[counts[path]!++] = row
  }
  return { order, paths, starts }
}
