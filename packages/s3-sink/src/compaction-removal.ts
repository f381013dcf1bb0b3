import { claimGeneration, nextRecord } from './compaction-claim.ts'
import { type CompactionContext, generationsNow } from './compaction-context.ts'
import type { PartitionPlan } from './compaction-plan.ts'
import { type Readiness, readinessOf } from './compaction-readiness.ts'
import { switchGeneration } from './compaction-steps.ts'

/**
 * Takes a retired partition out of the catalog once its files are removed, unless rows came since: a generation of its own, so
 * that no late request of it can meet a later one. Answers why not; undefined when there is nothing to do, or it is done.
 */
export const removePartition = async (
  context: CompactionContext,
  plan: PartitionPlan,
): Promise<Exclude<Readiness, { readonly kind: 'ready' }> | undefined> => {
  const { newest } = plan.files
  if (newest?.record.kind !== 'retirement' || plan.sources.length > 0) return undefined
  const latest = (await generationsNow(context, plan.path)).at(-1)
  if (latest?.record.generation !== newest.record.generation || !latest.removed) return undefined
  const readiness = await readinessOf(context, plan, { olderThanMillis: 0, mayBeGone: true })
  if (readiness.kind !== 'ready') return readiness
  const record = {
    ...nextRecord(context, plan),
    kind: 'removal',
    from: readiness.from,
    to: null,
    rows: 0,
    checksum: null,
    sources: [],
    files: [],
  } as const
  if ((await claimGeneration(context, record)).kind !== 'claimed') return undefined
  const switched = await switchGeneration(context, { record })
  return switched.done ? undefined : { kind: 'refused', reason: switched.reason }
}
