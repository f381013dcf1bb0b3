import type { BoundTable, PartitionedSinkEvents, Runtime, TopicDefinition } from '@stockpipe/core'
import type { EngineHost } from './engine-host.ts'
import type { LatePolicy } from './late-rows.ts'
import type { SinkLogger } from './logger.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { PartitionJournalOptions } from './partition-journal.ts'
import type { RejectionPolicy } from './rejection-limit.ts'
import type { SinkObjectStore } from './sink-object-store.ts'
import type { GroupCommit } from './sink-options.ts'
import type { Rotation } from './sink-setup.ts'
import type { Slots } from './slots.ts'

/** What the partition logs of a sink share. */
export interface SinkContext {
  readonly runtime: Runtime
  readonly logger: SinkLogger
  readonly engine: EngineHost
  readonly journal: PartitionJournalOptions
  readonly topic: TopicDefinition
  readonly table: BoundTable
  readonly tableStore: SinkObjectStore
  readonly sinkHash: string
  readonly rotation: Rotation
  /** `prefix`: of the keys of dead-letter files, in the table's bucket. */
  readonly deadLetters: RejectionPolicy & { readonly prefix: string }
  readonly late: LatePolicy | null
  /** Of the keys of late rows' files, in the table's bucket. */
  readonly latePrefix: string
  readonly compacted: boolean
  readonly cutSlots: Slots
  readonly uploadSlots: Slots
  readonly budget: MemoryBudget
  readonly onCommit: (commit: GroupCommit) => void
  readonly emit: <Event extends keyof PartitionedSinkEvents>(
    event: Event,
    ...details: PartitionedSinkEvents[Event]
  ) => void
}
