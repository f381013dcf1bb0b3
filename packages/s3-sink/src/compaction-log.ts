import { StockpipeError } from '@stockpipe/core'
import {
  type CompactionRecord,
  type CompactionStepRecord,
  readCompaction,
  readCompactionStep,
} from './compaction-record.ts'
import type { CompactionStep, JournalKeys } from './journal-keys.ts'
import type { ReadableStore } from './retrying-reads.ts'
import { atOnce } from './slots.ts'

const readsAtOnce = 16

/** A generation of a partition and how far it has come. */
export interface Generation {
  readonly key: string
  readonly record: CompactionRecord
  readonly switched: CompactionStepRecord | undefined
  readonly removed: CompactionStepRecord | undefined
}

/** What the journal tells of one partition's compactions. */
export interface PartitionGenerations {
  /** `k1=v1/k2=v2/`. */
  readonly path: string
  /** Oldest first, without gaps. */
  readonly generations: readonly Generation[]
}

/** Told of what cannot be read; without it the error is thrown. */
export type ReportUnreadable = (error: StockpipeError, key: string) => void

/** Reads the generations of all partitions, or those of one. */
export const readGenerations = async (
  store: ReadableStore,
  keys: JournalKeys,
  options: {
    readonly path?: string
    readonly signal?: AbortSignal | undefined
    readonly unreadable?: ReportUnreadable
  } = {},
): Promise<ReadonlyMap<string, PartitionGenerations>> => {
  const { signal, unreadable } = options
  const call = signal ? { signal } : {}
  const found = new Map<string, Map<number, Set<CompactionStep | undefined>>>()
  for await (const { key } of store.list(`${keys.compactionsPrefix}${options.path ?? ''}`, call)) {
    const read = keys.readCompaction(key)
    if (!read || (options.path !== undefined && read.path !== options.path)) continue
    const steps = found.get(read.path) ?? new Map<number, Set<CompactionStep | undefined>>()
    found.set(read.path, steps)
    steps.set(read.generation, (steps.get(read.generation) ?? new Set()).add(read.step))
  }
  const readable = async <T>(key: string, parse: (bytes: Uint8Array) => T): Promise<T | undefined> => {
    const bytes = await store.get(key, call)
    if (!bytes) return undefined
    try {
      return parse(bytes)
    } catch (error) {
      if (!unreadable || !StockpipeError.isInstance(error)) throw error
      unreadable(error, key)
      return undefined
    }
  }
  const partitions = await atOnce(readsAtOnce, [...found], async ([path, steps]) => {
    const generations: Generation[] = []
    for (const [generation, known] of [...steps].sort(([left], [right]) => left - right)) {
      const key = keys.compaction(path, generation)
      const step = (name: CompactionStep) => {
        if (!known.has(name)) return undefined
        const stepKey = keys.compaction(path, generation, name)
        return readable(stepKey, (bytes) => readCompactionStep(bytes, stepKey, name))
      }
      const record = await readable(key, (bytes) =>
        readCompaction(bytes, key, { sink: keys.sink, path, generation }),
      )
      if (record === undefined) continue
      generations.push({ key, record, switched: await step('switched'), removed: await step('removed') })
    }
    return [path, { path, generations }] as const
  })
  return new Map(partitions)
}

/** What became of the files of a partition. */
export interface PartitionFiles {
  /** The newest generation; undefined before the first. */
  readonly newest: Generation | undefined
  /** Keys that some generation took over or gave up, with that generation. */
  readonly consumed: ReadonlyMap<string, Generation>
  /** Files of the newest generation, by key. */
  readonly current: ReadonlyMap<string, CompactionRecord['files'][number]>
}

export const partitionFiles = (partition: PartitionGenerations | undefined): PartitionFiles => {
  const generations = partition?.generations ?? []
  const newest = generations.at(-1)
  const consumed = new Map<string, Generation>()
  for (const generation of generations)
    for (const { key } of generation.record.sources) if (!consumed.has(key)) consumed.set(key, generation)
  return { newest, consumed, current: new Map(newest?.record.files.map((file) => [file.key, file])) }
}
