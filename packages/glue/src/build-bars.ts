import {
  type BoundTable,
  ConfigurationError,
  type ObjectStore,
  parseDate,
  type Runtime,
  StockpipeError,
  systemRuntime,
} from '@stockpipe/core'
import type { BarsDefinition } from './bars-definition.ts'
import { longestBuildMillis, runFolder, runName } from './bars-run.ts'
import { barsTable, barsUnload } from './bars-statement.ts'
import type { GlueSender } from './glue-request.ts'
import { batchesOf } from './partition-request.ts'
import { refuseProjected } from './refuse-projected.ts'
import { removeReplacedBars } from './replaced-bars.ts'
import { stagingTable } from './staging-tables.ts'
import { type SwitchedDays, switchDays } from './switch-days.ts'

/** What is written at once: Athena writes 100 partitions a statement. */
const daysAtOnce = 100

/** What writes the bars of some days below a folder that is empty, as Parquet in `bar_date=2024-01-02/`. */
export type BarsWriter = (work: {
  readonly bars: BarsDefinition
  readonly days: readonly string[]
  /** `s3://bucket/prefix/`, unique to this call. */
  readonly folder: string
  readonly signal: AbortSignal | undefined
}) => Promise<void>

/**
 * What runs a statement on Athena, once, and answers when it has ended: `createAthena` of `@stockpipe/athena` makes one.
 * It must not run one again that failed.
 */
export interface StatementRunner {
  queryText(statement: { readonly sql: string; readonly signal?: AbortSignal }): Promise<unknown>
}

export interface AthenaBarsWriterOptions {
  /**
   * `CREATE TABLE AS` (the default) makes a table `<bars>__run_<time>_<chance>` for as long as it takes. `UNLOAD` writes
   * the same files without one, for who may not make tables, and in work groups that prescribe where results go.
   */
  readonly statement?: 'CREATE TABLE AS' | 'UNLOAD'
}

/** Writes bars by Athena. */
export const athenaBarsWriter =
  (athena: StatementRunner, { statement = 'CREATE TABLE AS' }: AthenaBarsWriterOptions = {}): BarsWriter =>
  async ({ bars, days, folder, signal }) => {
    const run = (sql: string) => athena.queryText({ sql, ...(signal ? { signal } : {}) })
    if (statement === 'UNLOAD') {
      await run(barsUnload(bars, days, folder))
      return
    }
    const table = stagingTable(bars, folder)
    await run(barsTable(bars, days, folder, table))
    // The files stay.
    await run(`DROP TABLE IF EXISTS \`${bars.table.database}\`.\`${table}\``)
  }

/** Lists and deletes objects of the bucket the bars are in, as an `ObjectStore` does. */
export type BarsStore = Pick<ObjectStore, 'list' | 'delete'>

export interface BuildBarsOptions {
  readonly client: GlueSender
  readonly bars: BarsDefinition
  /** `2024-01-02`, in the time zone of the bars. All bars of these days are replaced. */
  readonly days: Iterable<string>
  /** `athenaBarsWriter(athena)`, or `glueBarsWriter(...)` for Spark. */
  readonly write: BarsWriter
  /** Of the bucket of the bars: `createS3ObjectStore` of `@stockpipe/s3-sink` makes one. */
  readonly store: BarsStore
  /**
   * For how long files that were replaced are kept for queries that still read them, in milliseconds. Default a day.
   * Each build removes those that are older, of any build.
   */
  readonly graceMillis?: number
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: {
    readonly phase: 'writing' | 'switching' | 'removing'
    readonly done: number
    readonly total: number
  }) => void
}

export interface BuiltBars {
  /** Days whose partition was made. */
  readonly created: readonly string[]
  /** Days whose partition has the new bars in the place of others. */
  readonly replaced: readonly string[]
  /** Days without trades: those that had bars have none now. */
  readonly empty: readonly string[]
  /** Days that a build which began later has replaced meanwhile: its bars stay. */
  readonly superseded: readonly string[]
  /** How many objects of earlier builds were removed. */
  readonly removedObjects: number
}

/**
 * Makes the bars of some days anew. They are written to a folder of their own; then each day's partition is switched
 * there by one change of the catalog, so that queries see its former bars or its new ones, never both and never none.
 * Files that were replaced are removed after a grace time. What fails at any point is safe to run again.
 *
 * Throws a `ConfigurationError` for days that are none and for a projected table, a `PartitionBatchError` or
 * `GlueRequestError` when Glue refuses, whatever `write` and `store` throw, and `signal.reason` when aborted.
 */
export const buildBars = async (options: BuildBarsOptions): Promise<BuiltBars> => {
  const { client, bars, write, store, signal, runtime = systemRuntime, onProgress } = options
  const days = checkedDays(options.days)
  const catalog = { client, table: bars.table, runtime, ...(signal ? { signal } : {}) }
  await refuseProjected({ client, runtime, signal }, bars.table as BoundTable)
  const built: SwitchedDays = { created: [], replaced: [], empty: [], superseded: [] }
  let done = 0
  const report = (phase: 'writing' | 'switching' | 'removing') =>
    onProgress?.({ phase, done, total: days.length })
  for (const some of batchesOf(days, daysAtOnce)) {
    const run = runName(runtime)
    const folder = runFolder(bars, run)
    const began = runtime.now()
    report('writing')
    await write({ bars, days: some, folder, signal })
    report('switching')
    const written = await writtenDays(store, bars, folder, signal)
    if (runtime.now() - began > longestBuildMillis / 2) throw tooLate(bars, runtime.now() - began)
    await switchDays({ catalog, bars, days: some, run, written, graceMillis: options.graceMillis }, built)
    done += some.length
  }
  report('removing')
  const graceMillis = options.graceMillis === undefined ? {} : { graceMillis: options.graceMillis }
  const { removedObjects } = await removeReplacedBars({ ...catalog, bars, store, ...graceMillis })
  return { ...built, removedObjects }
}

const checkedDays = (days: Iterable<string>): readonly string[] => {
  const listed = [...new Set(days)].sort()
  const odd = listed.find((day) => parseDate(day) === undefined)
  if (odd !== undefined || listed.length === 0) {
    throw new ConfigurationError({
      code: 'BARS_DAYS_INVALID',
      message: `Bars are built for days such as 2024-01-02; got ${odd === undefined ? 'none' : `"${odd}"`}.`,
    })
  }
  return listed
}

/** Its files may be taken for those of a build that failed, and be gone, from a day after it began. */
const tooLate = ({ table }: BarsDefinition, tookMillis: number) =>
  new StockpipeError({
    code: 'BARS_TOO_LATE',
    message: `The bars of ${table.database}.${table.table.name} took ${Math.round(tookMillis / 3_600_000)} hours to write, and files that are in no partition may be removed after ${longestBuildMillis / 3_600_000}; the former bars are kept. Build fewer days at once, or let the job wait for no others.`,
    facts: { tookMillis },
  })

const writtenDays = async (
  store: BarsStore,
  { table }: BarsDefinition,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string>> => {
  const prefix = folder.slice(`s3://${table.bucket}/`.length)
  const days = new Set<string>()
  for await (const { key } of store.list(prefix, signal ? { signal } : {})) {
    const [, date] = /^bar_date=(\d{4}-\d{2}-\d{2})\//.exec(key.slice(prefix.length)) ?? []
    if (date !== undefined) days.add(date)
  }
  return days
}
