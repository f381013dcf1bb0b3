import type { LifecycleRule, SinkObjectStore } from './sink-object-store.ts'

/** As long as uploads may wait to be completed once their group was cut. */
const shortestAbortDays = 7
const dayMillis = 86_400_000
/** More than S3 takes. */
const longestAbortDays = 2 ** 31

interface JournalPlace {
  readonly store: SinkObjectStore
  readonly bucket: string
  /** `<journal>/<sink>/` */
  readonly prefix: string
}

interface FilePlaces {
  readonly store: SinkObjectStore
  readonly bucket: string
  /** Empty ones are passed over unless all are: the table may be the whole bucket. */
  readonly prefixes: readonly string[]
  /** How long a group may be open, and uploads of it with it. */
  readonly groupAgeMillis: number
}

/**
 * What lifecycle rules of the buckets would do to a sink, a sentence each: deleting or archiving its journal, removing
 * uploads before they are completed. Nothing where the rules cannot be read, which a sink needs no permission for.
 */
export const lifecycleWarnings = async (
  journal: JournalPlace,
  files: FilePlaces,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> => {
  const [journalRules, fileRules] = await Promise.all([
    rulesOf(journal.store, signal),
    rulesOf(files.store, signal),
  ])
  const warnings: string[] = []
  for (const rule of journalRules) {
    if (!meets(rule, journal.prefix) || !(rule.expires || rule.archives)) continue
    warnings.push(
      `lifecycle rule ${named(rule)} of bucket ${journal.bucket} ${rule.expires ? 'deletes' : 'archives'} objects of the journal ` +
        `${journal.prefix}${rule.filtered ? ' that match its filter' : ''}: positions would be lost. Leave that prefix out; the sink prunes by itself.`,
    )
  }
  const [table = '', ...others] = files.prefixes
  const prefixes = [table, ...others.filter((prefix) => prefix !== '')]
  for (const rule of fileRules) {
    const days = rule.abortsUploadsAfterDays
    const least = shortestAbortDays + Math.floor(files.groupAgeMillis / dayMillis)
    if (days === undefined || days >= least) continue
    if (!prefixes.some((prefix) => meets(rule, prefix))) continue
    warnings.push(
      `lifecycle rule ${named(rule)} of bucket ${files.bucket} removes incomplete uploads after ${days} days: files that are claimed and ` +
        `not published yet could be lost. ${least < longestAbortDays ? `Give it ${least} days at least, and more than a sink may stand still.` : 'Its groups have no greatest age: set rotation.ageMillis, or take the rule away.'}`,
    )
  }
  return warnings
}

const rulesOf = async (
  store: SinkObjectStore,
  signal: AbortSignal | undefined,
): Promise<readonly LifecycleRule[]> => {
  try {
    return (await store.lifecycleRules?.(signal ? { signal } : {})) ?? []
  } catch {
    signal?.throwIfAborted()
    return []
  }
}

/** Whether some key can have both prefixes. */
const meets = ({ prefix }: LifecycleRule, other: string): boolean =>
  prefix.startsWith(other) || other.startsWith(prefix)

const named = ({ id, prefix }: LifecycleRule): string =>
  `${id === '' ? 'without a name' : `"${id}"`} (prefix "${prefix}")`
