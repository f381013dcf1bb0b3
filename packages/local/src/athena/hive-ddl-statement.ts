import type { Catalog } from '../glue/catalog.ts'
import type { GlueColumn } from '../glue/catalog-model.ts'
import type { ObjectStorage } from '../object-storage.ts'

/** What a Hive DDL statement works with. */
export interface DdlContext {
  readonly catalog: Catalog
  readonly storage: ObjectStorage
  /** The database of names without one. */
  readonly database: string
  readonly signal: AbortSignal
}

export interface TableName {
  readonly database: string | undefined
  readonly table: string
}

/** `PARTITION (dt = '2024-03-08', ticker = 'A')`, by lower-cased key. */
export type PartitionSpec = ReadonlyMap<string, string>

export interface CreateTable extends TableName {
  readonly kind: 'create-table'
  readonly ifNotExists: boolean
  readonly columns: readonly GlueColumn[]
  readonly partitionKeys: readonly GlueColumn[]
  readonly comment: string | undefined
  readonly location: string
  readonly properties: Readonly<Record<string, string>>
  readonly serDeProperties: Readonly<Record<string, string>>
}

/** A Hive DDL statement the local stack runs. */
export type DdlStatement =
  | CreateTable
  | {
      readonly kind: 'create-database'
      readonly database: string
      readonly ifNotExists: boolean
      readonly comment: string | undefined
      readonly location: string | undefined
      readonly properties: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'drop-database'
      readonly database: string
      readonly ifExists: boolean
      readonly cascade: boolean
    }
  | (TableName & { readonly kind: 'drop-table'; readonly ifExists: boolean })
  | { readonly kind: 'show-databases'; readonly pattern: string | undefined }
  | {
      readonly kind: 'show-tables'
      readonly database: string | undefined
      readonly pattern: string | undefined
    }
  | (TableName & {
      readonly kind: 'show-partitions' | 'show-columns' | 'show-create' | 'describe' | 'repair'
    })
  | (TableName & { readonly kind: 'show-properties'; readonly property: string | undefined })
  | (TableName & {
      readonly kind: 'add-partitions'
      readonly ifNotExists: boolean
      readonly partitions: readonly { readonly spec: PartitionSpec; readonly location: string | undefined }[]
    })
  | (TableName & {
      readonly kind: 'drop-partitions'
      readonly ifExists: boolean
      readonly specs: readonly PartitionSpec[]
    })
  | (TableName & { readonly kind: 'add-columns'; readonly columns: readonly GlueColumn[] })
  | (TableName & { readonly kind: 'set-location'; readonly location: string })
  | (TableName & { readonly kind: 'set-properties'; readonly properties: Readonly<Record<string, string>> })
