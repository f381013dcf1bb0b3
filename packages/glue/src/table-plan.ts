import type { WantedTable } from './catalog-table.ts'

/**
 * What can be lost by a change. `drop-column`: values no query sees any more; `break-data`: old files that queries fail on or
 * read otherwise; `hide-partitions`: rows that queries do not find; `move-location`: files that are read no more;
 * `replace-table`: the table is deleted and made anew, its registered partitions with it. Files on S3 are never touched.
 */
export type DestructiveChange =
  | 'drop-column'
  | 'break-data'
  | 'hide-partitions'
  | 'move-location'
  | 'replace-table'

/** All of them, in the order they are explained. */
export const destructiveChanges: readonly DestructiveChange[] = [
  'drop-column',
  'break-data',
  'hide-partitions',
  'move-location',
  'replace-table',
]

/** One difference between a definition and the catalog. */
export interface TableChange {
  readonly kind: 'add' | 'change' | 'remove'
  /** `column price`, `partition key ticker`, `location`, `parameter projection.enabled`. */
  readonly what: string
  /** As the catalog has it; left out when it has none. */
  readonly before?: string
  /** As it is to be; left out when it goes. */
  readonly after?: string
  /** What the change does. */
  readonly reason: string
  /** Set where something can be lost; such a change is applied only when that is allowed. */
  readonly destructive?: DestructiveChange
}

export interface PlannedDatabase {
  readonly name: string
  readonly action: 'create' | 'none'
}

/** The registered partitions of a table, as the plan found them. */
export interface PlannedPartitions {
  readonly registered: number
  /** How many of them have columns, formats or a SerDe that are not those the table is to have. */
  readonly older: number
}

export interface PlannedTable {
  readonly database: string
  readonly name: string
  /** `update` also where the table is as defined, and some of its partitions are not. */
  readonly action: 'create' | 'update' | 'replace' | 'none'
  /** Left out where partitions were not compared: none is registered, they are projected, or the plan skipped them. */
  readonly partitions?: PlannedPartitions
  /** Glue's version of the table the plan was made against; null when there was none. */
  readonly version: string | null
  readonly changes: readonly TableChange[]
  readonly wanted: WantedTable
}

/** The difference between table definitions and the catalog. Plain data: it survives JSON. */
export interface TablePlan {
  readonly formatVersion: 1
  readonly databases: readonly PlannedDatabase[]
  readonly tables: readonly PlannedTable[]
}

/** Whether applying the plan would change anything. */
export const planDiffers = (plan: TablePlan): boolean =>
  [...plan.databases, ...plan.tables].some(({ action }) => action !== 'none')

/** A destructive change and the table it is in. */
export interface DestructiveTableChange extends TableChange {
  readonly table: string
  readonly destructive: DestructiveChange
}

/** The changes of a plan that need to be allowed. */
export const destructiveChangesOf = (plan: TablePlan): readonly DestructiveTableChange[] =>
  plan.tables.flatMap(({ database, name, changes }) =>
    changes.flatMap((change) =>
      change.destructive === undefined
        ? []
        : [{ ...change, destructive: change.destructive, table: `${database}.${name}` }],
    ),
  )
