import { CreateTableCommand, DeleteTableCommand, type Table, UpdateTableCommand } from '@aws-sdk/client-glue'
import { ConfigurationError, type Runtime, StockpipeError, systemRuntime } from '@stockpipe/core'
import { ensureDatabase } from './ensure-database.ts'
import {
  backOff,
  type GlueCall,
  type GlueSender,
  maximumAttempts,
  request,
  wasRefused,
} from './glue-request.ts'
import { mendOlderPartitions } from './older-partitions.ts'
import type { PartitionProgress } from './partition-request.ts'
import { CatalogChangedError, DestructiveChangeError, PlanNotAppliedError } from './plan-errors.ts'
import { findTable } from './plan-tables.ts'
import { mergedTableInput, tableChanges } from './table-changes.ts'
import {
  type DestructiveChange,
  destructiveChangesOf,
  type PlannedTable,
  type TablePlan,
} from './table-plan.ts'

export interface ApplyPlanOptions {
  readonly client: GlueSender
  /** The kinds of destructive change that may be made; a plan with any other is refused whole. Default none. */
  readonly allow?: readonly DestructiveChange[]
  /** Told of each database made and each table as it is done. */
  readonly onApplied?: (applied: AppliedDatabase | AppliedTable) => void
  /** Told after each 100 partitions that were given the table's columns. */
  readonly onPartitionsMended?: (progress: MendProgress) => void
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
}

export interface AppliedDatabase {
  readonly database: string
  readonly outcome: 'created' | 'unchanged'
}

/** How far the mending of a table's older partitions is. */
export interface MendProgress extends PartitionProgress {
  readonly database: string
  readonly table: string
}

/** What became of a table. */
export type AppliedTable = {
  readonly database: string
  readonly table: string
} & (
  | {
      readonly outcome: 'created' | 'updated' | 'replaced' | 'unchanged'
      /** How many older partitions were given the table's columns; left out when none was. */
      readonly mendedPartitions?: number
    }
  | { readonly outcome: 'failed'; readonly error: StockpipeError }
)

export interface AppliedPlan {
  readonly databases: readonly AppliedDatabase[]
  readonly tables: readonly AppliedTable[]
}

/**
 * Makes the catalog what the plan says. Tables that are so already are left alone, so that a plan that failed half way is
 * applied again. A table that is not as the plan found it is left as it is, and before anything is written. Older partitions get
 * the table's columns after the table; Glue has no versions of partitions, so that the table's is looked at before each batch.
 *
 * Throws a `DestructiveChangeError` when a change is not allowed, a `CatalogChangedError` when a table has changed since the
 * plan, a `PlanNotAppliedError` with the outcome of each table when some failed (the others are done), and `signal.reason`.
 */
export const applyPlan = async (plan: TablePlan, options: ApplyPlanOptions): Promise<AppliedPlan> => {
  const { client, onApplied = () => undefined } = options
  const call: GlueCall = { client, runtime: options.runtime ?? systemRuntime, signal: options.signal }
  if (plan.formatVersion !== 1) {
    throw new ConfigurationError({
      code: 'PLAN_FORMAT_VERSION',
      message: `A plan of format version ${String(plan.formatVersion)} cannot be applied here; this package applies version 1.`,
    })
  }
  refuseWhatIsNotAllowed(plan, options.allow ?? [])
  const made = plan.databases.filter(({ action }) => action === 'create').map(({ name }) => name)
  for (const table of plan.tables) {
    // Of a database that is still to be made nothing can have changed but that another has made it.
    await stepFor(call, table)
  }
  const databases: AppliedDatabase[] = []
  for (const database of made) {
    const outcome = await ensureDatabase({
      client,
      database,
      runtime: call.runtime,
      ...(call.signal ? { signal: call.signal } : {}),
    })
    databases.push({ database, outcome })
    onApplied({ database, outcome })
  }
  const tables: AppliedTable[] = []
  for (const table of plan.tables) {
    const applied = await appliedTable(call, table, options.onPartitionsMended)
    tables.push(applied)
    onApplied(applied)
  }
  if (tables.some(({ outcome }) => outcome === 'failed')) throw notApplied(tables)
  return { databases, tables }
}

const refuseWhatIsNotAllowed = (plan: TablePlan, allow: readonly DestructiveChange[]) => {
  const changes = destructiveChangesOf(plan).filter(({ destructive }) => !allow.includes(destructive))
  if (changes.length === 0) return
  const listed = changes.map(
    ({ table, what, destructive, reason }) => `${table}: ${what} (${destructive}: ${reason})`,
  )
  const kinds = [...new Set(changes.map(({ destructive }) => destructive))]
  throw new DestructiveChangeError({
    code: 'CHANGE_NOT_ALLOWED',
    message: `The plan has changes by which something can be lost: ${listed.join('; ')}. Nothing was applied; allow ${kinds.join(', ')} if it is meant.`,
    changes,
  })
}

/** What is left to do for a table. Throws a `CatalogChangedError` when it is not as the plan found it. */
const stepFor = async (
  call: GlueCall,
  planned: PlannedTable,
): Promise<'create' | 'none' | { readonly existing: Table; readonly action: 'update' | 'replace' }> => {
  const existing = await findTable(call, planned.database, planned.name)
  if (existing === undefined) {
    // A replaced table is gone for a moment, and for longer when its making failed.
    if (planned.action === 'create' || planned.action === 'replace') return 'create'
    throw changed(planned, 'has been deleted')
  }
  const { action } = tableChanges(existing, planned.wanted)
  if (action === 'none') return 'none'
  const version = existing.VersionId ?? null
  if (version !== planned.version) {
    throw changed(
      planned,
      planned.version === null
        ? 'has been made by another'
        : `is version ${version}, and was ${planned.version}`,
    )
  }
  return { existing, action }
}

const appliedTable = async (
  call: GlueCall,
  planned: PlannedTable,
  onMended: ApplyPlanOptions['onPartitionsMended'],
): Promise<AppliedTable> => {
  const { database, name: table } = planned
  try {
    const outcome = await applyTable(call, planned)
    const { older = 0 } = planned.partitions ?? {}
    if (older === 0) return { database, table, outcome }
    const check = async () => {
      if ((await stepFor(call, planned)) !== 'none') throw changed(planned, 'has been changed again')
    }
    const mendedPartitions = await mendOlderPartitions(call, planned, check, (done) =>
      onMended?.({ database, table, done, total: Math.max(done, older) }),
    )
    if (mendedPartitions === 0) return { database, table, outcome }
    return { database, table, outcome: outcome === 'unchanged' ? 'updated' : outcome, mendedPartitions }
  } catch (error) {
    if (call.signal?.aborted || !StockpipeError.isInstance(error)) throw error
    return { database, table, outcome: 'failed', error }
  }
}

const applyTable = async (
  call: GlueCall,
  planned: PlannedTable,
): Promise<'created' | 'updated' | 'replaced' | 'unchanged'> => {
  const { database, name, wanted } = planned
  const what = `table ${database}.${name}`
  const sent: { outcome?: 'created' | 'updated' | 'replaced' } = {}
  // An answer may be lost and its call made again by the client: what is refused may be our own work. Then we look again.
  for (let attempt = 1; ; attempt++) {
    const step = await stepFor(call, planned)
    if (step === 'none') return sent.outcome ?? 'unchanged'
    const last = attempt >= maximumAttempts
    if (step === 'create') {
      sent.outcome ??= 'created'
      const answer = await request(
        call,
        'CreateTable',
        what,
        (sendOptions) =>
          call.client.send(
            new CreateTableCommand({ DatabaseName: database, TableInput: wanted.input }),
            sendOptions,
          ),
        last ? [] : ['AlreadyExistsException'],
      )
      if (!wasRefused(answer)) return sent.outcome
    } else if (step.action === 'replace') {
      sent.outcome = 'replaced'
      await request(
        call,
        'DeleteTable',
        what,
        (sendOptions) =>
          call.client.send(new DeleteTableCommand({ DatabaseName: database, Name: name }), sendOptions),
        ['EntityNotFoundException'],
      )
      continue
    } else {
      sent.outcome = 'updated'
      const { existing } = step
      const answer = await request(
        call,
        'UpdateTable',
        what,
        (sendOptions) =>
          call.client.send(
            new UpdateTableCommand({
              DatabaseName: database,
              TableInput: mergedTableInput(existing, wanted),
              ...(existing.VersionId === undefined ? {} : { VersionId: existing.VersionId }),
            }),
            sendOptions,
          ),
        last ? [] : ['ConcurrentModificationException', 'VersionMismatchException'],
      )
      if (!wasRefused(answer)) return 'updated'
    }
    await backOff(call, attempt)
  }
}

const changed = ({ database, name }: PlannedTable, how: string): CatalogChangedError =>
  new CatalogChangedError({
    code: 'CATALOG_CHANGED',
    message: `Table ${database}.${name} ${how} since the plan was made; it is left as it is. Plan again.`,
    table: `${database}.${name}`,
    facts: { table: `${database}.${name}` },
  })

const notApplied = (tables: readonly AppliedTable[]): PlanNotAppliedError => {
  const failures = tables.flatMap((one) => (one.outcome === 'failed' ? [one] : []))
  const listed = failures.map(({ database, table, error }) => `${database}.${table}: ${error.message}`)
  return new PlanNotAppliedError({
    code: 'PLAN_NOT_APPLIED',
    message: `${failures.length} of ${tables.length} tables were not applied, the others are as planned. ${listed.join(' ')} Applying the plan again goes on where this ended.`,
    retryable: failures.every(({ error }) => error.retryable),
    cause: failures[0]?.error,
    tables,
  })
}
