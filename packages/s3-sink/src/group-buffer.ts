import {
  type ColumnBatch,
  type ColumnVector,
  SchemaMismatchError,
  type TableDefinition,
} from '@stockpipe/core'
import type { FilePart } from './part-cutter.ts'
import { PathBuffer, type PathBufferOptions } from './path-buffer.ts'
import type { PathFile } from './path-file.ts'
import type { RowGroupEncoder } from './row-group-encoder.ts'
import { RowRouter, type UnroutableRow } from './row-router.ts'
import { RowStore } from './row-store.ts'
import { SharedDictionary } from './shared-dictionary.ts'
import { isNull } from './validity-buffer.ts'
import { vectorKind, vectorMismatch } from './vector-kind.ts'

/** Strings a dictionary may hold though no row has them, beside as many as rows are held. */
const spareStrings = 32_768

/** A part of a file that is whole before the group is cut. */
export interface TakenPart {
  readonly partitionValues: readonly (string | null)[]
  readonly file: PathFile
  readonly part: FilePart
}

/** The open flush group of one partition log: its rows by path, as columns. */
export class GroupBuffer {
  readonly #table: TableDefinition
  readonly #kinds: readonly ColumnVector['kind'][]
  readonly #router: RowRouter
  readonly #rowGroups: RowGroupEncoder
  readonly #fileStarts: PathBufferOptions['fileStarts']
  #dictionaries: readonly (SharedDictionary | undefined)[]
  #store: RowStore
  readonly #paths: PathBuffer[] = []
  /** Those that have encoded rows anew, and may have a part. */
  readonly #encoded = new Set<PathBuffer>()
  /** Of all paths together. */
  readonly #held = { capacityBytes: 0, payloadBytes: 0, encodedBytes: 0, openRows: 0, fileCount: 0 }
  #largestFileBytes = 0
  #rows = 0
  #lastOffset = -1n
  #firstOffset = -1n

  constructor(
    table: TableDefinition,
    maxPathBytes: number,
    rowGroups: RowGroupEncoder,
    fileStarts?: PathBufferOptions['fileStarts'],
  ) {
    this.#fileStarts = fileStarts
    this.#table = table
    this.#rowGroups = rowGroups
    this.#kinds = table.columns.map(({ type }) => vectorKind(type))
    this.#router = new RowRouter(table, maxPathBytes)
    this.#dictionaries = this.#newDictionaries()
    this.#store = this.#newStore()
  }

  get rows(): number {
    return this.#rows
  }

  get openPaths(): number {
    return this.#paths.length
  }

  /** Offset of the first row handed over; -1 before it. */
  get firstOffset(): bigint {
    return this.#firstOffset
  }

  /** Offset of the last row handed over; -1 before it. */
  get lastOffset(): bigint {
    return this.#lastOffset
  }

  /** Memory held, estimated. */
  get capacityBytes(): number {
    let bytes = this.#held.capacityBytes + this.#store.capacityBytes + this.#router.capacityBytes
    for (const dictionary of this.#dictionaries) bytes += dictionary?.capacityBytes ?? 0
    return bytes
  }

  /** Bytes of all files if the group were cut now: what is encoded is measured, the rest estimated. */
  get encodedBytes(): number {
    const { encodedBytes, payloadBytes, fileCount } = this.#held
    return encodedBytes + this.#rowGroups.size.estimate(payloadBytes, fileCount)
  }

  /** Bytes of the largest of them. */
  get largestFileBytes(): number {
    return this.#largestFileBytes
  }

  /** Takes the rows from row `begin` on, without those that `skip` marks; answers those that no path can take. */
  append(batch: ColumnBatch, begin: number, skip?: Uint8Array): readonly UnroutableRow[] {
    this.#check(batch, begin)
    const routed = this.#router.route(batch, begin, skip)
    if (routed.order.length === 0) return routed.unroutable
    this.#dictionaries.forEach((dictionary, index) => {
      const vector = batch.columns[index]!
      if (vector.kind === 'dictionary') dictionary!.begin(vector.dictionary)
    })
    const { start: first, chunk } = this.#store.append(batch, routed.order)
    for (const dictionary of this.#dictionaries) dictionary?.end()
    const offsetOf = (row: number) => batch.offsets[routed.order[row - first]!]!
    for (let index = 0; index < routed.paths.length; index += 1) {
      const path = routed.paths[index]!
      const buffer = (this.#paths[path] ??= this.#newPath(path))
      this.#count(buffer, -1)
      const start = first + routed.starts[index]!
      const end = first + routed.starts[index + 1]!
      if (buffer.append({ chunk, start, end }, offsetOf)) this.#encoded.add(buffer)
      this.#count(buffer, 1)
      this.#largestFileBytes = Math.max(this.#largestFileBytes, buffer.largestFileBytes)
    }
    if (this.#encoded.size > 0) this.#tidy()
    if (this.#firstOffset < 0n) this.#firstOffset = batch.offsets[begin]!
    this.#lastOffset = batch.offsets[batch.rows - 1]!
    this.#rows += routed.order.length
    return routed.unroutable
  }

  /** Takes out the next part that is whole, in the order in which paths came to have one. */
  takePart(): TakenPart | undefined {
    for (const path of this.#encoded) {
      this.#count(path, -1)
      const taken = path.takePart()
      this.#count(path, 1)
      if (taken) return { partitionValues: path.partitionValues, ...taken }
      this.#encoded.delete(path)
    }
    return undefined
  }

  /** Paths with their rows, in the order of their partition values, null first. */
  paths(): readonly PathBuffer[] {
    return this.#paths.toSorted((left, right) => compareValues(left.partitionValues, right.partitionValues))
  }

  /** Ends the buffer: its memory is used for other rows. */
  release(): void {
    this.#store.clear()
    for (const dictionary of this.#dictionaries) dictionary?.clear()
    for (const path of this.#paths) path.release()
  }

  #newDictionaries(): readonly (SharedDictionary | undefined)[] {
    return this.#kinds.map((kind) => (kind === 'dictionary' ? new SharedDictionary() : undefined))
  }

  #newStore(): RowStore {
    return new RowStore({ kinds: this.#kinds, dictionaries: this.#dictionaries })
  }

  #newPath(path: number): PathBuffer {
    const buffer = new PathBuffer(this.#router.valuesOf(path), this.#store, {
      rowGroups: this.#rowGroups,
      ...(this.#fileStarts ? { fileStarts: this.#fileStarts } : {}),
    })
    this.#count(buffer, 1)
    return buffer
  }

  /** Lets go what row groups have left behind. */
  #tidy(): void {
    // With no code left that stands for a string, a dictionary that grows with the group is begun anew.
    if (this.#held.openRows === 0) for (const dictionary of this.#dictionaries) dictionary?.clear()
    const former = this.#dictionaries
    const most = 2 * this.#held.openRows + spareStrings
    const renewed = former.some((dictionary) => dictionary !== undefined && dictionary.count > most)
    if (!renewed && !this.#store.isSparse) return
    if (renewed) {
      this.#dictionaries = this.#newDictionaries()
      for (const [index, dictionary] of this.#dictionaries.entries()) dictionary?.beginMove(former[index]!)
    }
    const store = this.#store
    this.#store = this.#newStore()
    for (const path of this.#paths) {
      this.#count(path, -1)
      path.moveTo(this.#store)
      this.#count(path, 1)
    }
    store.clear()
    for (const dictionary of this.#dictionaries) dictionary?.end()
  }

  #count(path: PathBuffer, sign: 1 | -1): void {
    const held = this.#held
    held.capacityBytes += sign * path.capacityBytes
    held.payloadBytes += sign * path.payloadBytes
    held.encodedBytes += sign * path.encodedBytes
    held.openRows += sign * path.openRows
    held.fileCount += sign * path.fileCount
  }

  /** Throws before anything is taken when decoder and table differ, so that a group never holds half a batch. */
  #check(batch: ColumnBatch, begin: number): void {
    const where = `A decoded batch for table ${this.#table.name}`
    const fail = (message: string): never => {
      throw new SchemaMismatchError({ code: 'BATCH_INVALID', message: `${where} ${message}.` })
    }
    if (batch.columns.length !== this.#kinds.length) {
      fail(`has ${batch.columns.length} columns instead of ${this.#kinds.length}`)
    }
    this.#table.columns.forEach((column, index) => {
      const vector = batch.columns[index]!
      const { validity } = vector
      const mismatch = vectorMismatch(column.type, vector, column.name)
      if (mismatch !== undefined) fail(`has ${mismatch}`)
      if (column.nullable || validity === null) return
      for (let row = begin; row < batch.rows; row += 1) {
        if (isNull(validity, row)) {
          fail(`has no '${column.name}' at offset ${batch.offsets[row]}, and the column is not nullable`)
        }
      }
    })
    const row = firstNotAfter(batch.offsets, begin, this.#lastOffset)
    if (row < 0) return
    const last = row === begin ? this.#lastOffset : batch.offsets[row - 1]
    fail(`has offset ${batch.offsets[row]} after ${last}: records are handed over once and in order`)
  }
}

/** The first row from `begin` on whose offset is not after the one before; -1 when there is none. As two words each. */
const firstNotAfter = (offsets: BigInt64Array, begin: number, before: bigint): number => {
  const words = new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length * 2)
  let lastHigh = Number(before >> 32n)
  let lastLow = Number(before & 0xffff_ffffn)
  for (let row = begin; row < offsets.length; row += 1) {
    const high = words[row * 2 + 1]!
    const low = words[row * 2]! >>> 0
    if (high < lastHigh || (high === lastHigh && low <= lastLow)) return row
    lastHigh = high
    lastLow = low
  }
  return -1
}

const compareValues = (left: readonly (string | null)[], right: readonly (string | null)[]): number => {
  for (let index = 0; index < left.length; index += 1) {
    const a = left[index]!
    const b = right[index]!
    if (a === b) continue
    if (a === null) return -1
    return b === null || a > b ? 1 : -1
  }
  return 0
}
