import {
  type BoundTable,
  ConfigurationError,
  type ObjectStore,
  parseDate,
  type Runtime,
  systemRuntime,
} from '@stockpipe/core'
import { type BarsDefinition, barPartition } from './bars-definition.ts'
import { barsUnload } from './bars-statement.ts'
import { createPartitions } from './create-partitions.ts'
import { getPartitions } from './get-partitions.ts'
import type { GlueSender } from './glue-request.ts'
import { batchesOf } from './partition-request.ts'
import { refuseProjected } from './refuse-projected.ts'
import {
  barsRunParameter,
  removeReplacedBars,
  replacedParameter,
  replacedText,
  runFolder,
} from './replaced-bars.ts'
import { updatePartitions } from './update-partitions.ts'

/** What is written at once: UNLOAD takes 100 partitions. */
const daysAtOnce = 100

/** What writes the bars of some days below a folder that is empty, as Parquet in `bar_date=2024-01-02/`. */
export type BarsWriter = (work: {
  readonly bars: BarsDefinition
  readonly days: readonly string[]
  /** `s3://bucket/prefix/`, unique to this call. */
  readonly folder: string
  readonly signal: AbortSignal | undefined
}) => Promise<void>

/** What runs a statement on Athena and answers when it has ended: `createAthena` of `@stockpipe/athena` makes one. */
export interface StatementRunner {
  queryText(statement: { readonly sql: string; readonly signal?: AbortSignal }): Promise<unknown>
}

/** Writes bars by an UNLOAD on Athena. */
export const athenaBarsWriter =
  (athena: StatementRunner): BarsWriter =>
  async ({ bars, days, folder, signal }) => {
    await athena.queryText({ sql: barsUnload(bars, days, folder), ...(signal ? { signal } : {}) })
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
  const built = {
    created: [] as string[],
    replaced: [] as string[],
    empty: [] as string[],
    superseded: [] as string[],
  }
  let done = 0
  const report = (phase: 'writing' | 'switching' | 'removing') =>
    onProgress?.({ phase, done, total: days.length })
  for (const some of batchesOf(days, daysAtOnce)) {
    const run = runName(runtime)
    const folder = runFolder(bars, run)
    report('writing')
    await write({ bars, days: some, folder, signal })
    report('switching')
    const written = await writtenDays(store, bars, folder, signal)
    const { found } = await getPartitions({
      ...catalog,
      partitions: some.map((date) => ({ bar_date: date })),
    })
    const existing = new Map(found.map((partition) => [partition.values.bar_date, partition]))
    const makes: string[] = []
    const switches: string[] = []
    for (const date of some) {
      const partition = existing.get(date)
      if ((partition?.parameters[barsRunParameter] ?? '') > run) {
        built.superseded.push(date)
        continue
      }
      if (!written.has(date)) built.empty.push(date)
      else if (partition === undefined) built.created.push(date)
      else built.replaced.push(date)
      if (partition !== undefined) switches.push(date)
      else if (written.has(date)) makes.push(date)
    }
    const placed = (date: string) => ({
      values: { bar_date: date },
      location: `${folder}${barPartition}=${date}/`,
    })
    await createPartitions({
      ...catalog,
      partitions: makes.map((date) => ({ ...placed(date), parameters: { [barsRunParameter]: run } })),
    })
    await updatePartitions({
      ...catalog,
      partitions: switches.map((date) => ({
        ...placed(date),
        columns: 'definition',
        parameters: {
          [barsRunParameter]: run,
          [replacedParameter]: replacedText(bars, existing.get(date)!, runtime.now(), options.graceMillis),
        },
      })),
    })
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

/** A name that sorts by time: of two builds of a day, the one that began later stays. */
const runName = (runtime: Runtime): string => {
  const stamp = new Date(runtime.now()).toISOString().replace(/[-:.]/g, '')
  return `${stamp}-${Buffer.from(runtime.randomBytes(6)).toString('hex')}`
}

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
