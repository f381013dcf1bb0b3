import { type Runtime, systemRuntime } from '@stockpipe/core'
import type { BarsDefinition } from './bars-definition.ts'
import { longestBuildMillis, runMillis } from './bars-run.ts'
import type { BarsStore } from './build-bars.ts'
import type { GlueSender } from './glue-request.ts'
import { listPartitions } from './list-partitions.ts'
import { withSlash } from './partition-values.ts'
import { dropStagingTables } from './staging-tables.ts'

/** The parameter of a partition of bars that names the build its files are of. */
export const barsRunParameter = 'stockpipe.bars-run'

/** The parameter that lists the locations a partition had before, until the grace time is over. */
export const replacedParameter = 'stockpipe.bars-replaced'

const defaultGraceMillis = 86_400_000

interface ReplacedLocation {
  readonly location: string
  /** When it was replaced, as ISO text. */
  readonly at: string
}

/** The locations a partition had before. */
export const replacedBars = (parameters: Readonly<Record<string, string>>): readonly ReplacedLocation[] => {
  const text = parameters[replacedParameter]
  if (text === undefined) return []
  try {
    const listed: unknown = JSON.parse(text)
    return Array.isArray(listed) ? listed.filter((one) => typeof one?.location === 'string') : []
  } catch {
    return []
  }
}

const isYoung = ({ at }: ReplacedLocation, now: number, graceMillis: number): boolean =>
  // A time that cannot be read is long ago.
  now - Date.parse(at) < graceMillis

/** Whether a location is a build's, which are all looked through when files are removed. */
const isRun = ({ table }: BarsDefinition, location: string): boolean =>
  location.startsWith(`${table.location}run=`)

/** The locations to be kept in mind when a partition is switched from `location`, as the parameter's value. */
export const replacedText = (
  bars: BarsDefinition,
  partition: { readonly location: string; readonly parameters: Readonly<Record<string, string>> },
  now: number,
  graceMillis: number = defaultGraceMillis,
): string =>
  JSON.stringify([
    ...replacedBars(partition.parameters).filter(
      (one) => isYoung(one, now, graceMillis) || !isRun(bars, one.location),
    ),
    { location: partition.location, at: new Date(now).toISOString() },
  ])

export interface RemoveReplacedBarsOptions {
  readonly client: GlueSender
  readonly bars: BarsDefinition
  readonly store: BarsStore
  /** How long ago files were replaced at least, in milliseconds. Default a day. */
  readonly graceMillis?: number
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
}

/**
 * Removes the files of bars that were replaced longer ago than the grace time, and of builds that failed more than a day
 * ago, and the tables such builds have left in the catalog. Nothing at or below the location of a partition is touched, and
 * no partition is changed. Safe to repeat.
 *
 * Throws a `GlueRequestError` when Glue refuses a call, and whatever `store` throws.
 */
export const removeReplacedBars = async (
  options: RemoveReplacedBarsOptions,
): Promise<{ readonly removedObjects: number }> => {
  const { client, bars, store, signal, graceMillis = defaultGraceMillis, runtime = systemRuntime } = options
  const { table } = bars
  const now = runtime.now()
  const root = `s3://${table.bucket}/`
  const kept = new Set<string>()
  const doomed = new Set<string>()
  const catalog = { client, table, runtime, ...(signal ? { signal } : {}) }
  for await (const { location, parameters } of listPartitions(catalog)) {
    kept.add(withSlash(location))
    for (const one of replacedBars(parameters)) {
      const folder = withSlash(one.location)
      if (isYoung(one, now, graceMillis)) kept.add(folder)
      // Only what lies within the table is the bars' own.
      else if (folder !== table.location && folder.startsWith(table.location)) doomed.add(folder)
    }
  }
  const liesIn = (folders: ReadonlySet<string>, key: string): boolean => {
    const address = `${root}${key}`
    for (let at = address.lastIndexOf('/'); at >= root.length; at = address.lastIndexOf('/', at - 1)) {
      if (folders.has(address.slice(0, at + 1))) return true
    }
    return false
  }
  const storeOptions = signal ? { signal } : {}
  let removedObjects = 0
  const removeBelow = async (prefix: string, isRemovable: (key: string) => boolean) => {
    for await (const { key } of store.list(prefix, storeOptions)) {
      if (liesIn(kept, key) || !isRemovable(key)) continue
      await store.delete(key, storeOptions)
      removedObjects += 1
    }
  }
  const runs = `${table.prefix}run=`
  await removeBelow(runs, (key) => {
    const age = now - runMillis(key.slice(runs.length))
    return age > Math.max(graceMillis, longestBuildMillis) || liesIn(doomed, key)
  })
  for (const folder of doomed) {
    if (!isRun(bars, folder)) await removeBelow(folder.slice(root.length), () => true)
  }
  await dropStagingTables({ client, runtime, signal }, bars, longestBuildMillis)
  return { removedObjects }
}
