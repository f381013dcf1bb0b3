import { ConfigurationError, StockpipeError, type StockpipeErrorOptions } from '@stockpipe/core'
import type { AppliedTable } from './apply-plan.ts'
import type { DestructiveTableChange } from './table-plan.ts'

/** A plan has changes by which something can be lost, and they were not allowed. Nothing was applied. */
export class DestructiveChangeError extends ConfigurationError {
  readonly changes: readonly DestructiveTableChange[]

  constructor(options: StockpipeErrorOptions & { changes: readonly DestructiveTableChange[] }) {
    super(options)
    this.changes = options.changes
  }
}

/** The catalog's table is not the one the plan was made against. It is left as it is: plan again. */
export class CatalogChangedError extends StockpipeError {
  override readonly name = 'CatalogChangedError'
  /** `database.table` */
  readonly table: string

  constructor(options: StockpipeErrorOptions & { table: string }) {
    super(options)
    this.table = options.table
  }
}

/** Some tables of a plan could not be made or changed; `tables` says what became of each. The plan may be applied again. */
export class PlanNotAppliedError extends StockpipeError {
  override readonly name = 'PlanNotAppliedError'
  readonly tables: readonly AppliedTable[]

  constructor(options: StockpipeErrorOptions & { tables: readonly AppliedTable[] }) {
    super(options)
    this.tables = options.tables
  }
}
