import { type CompactionContext, generationsNow } from './compaction-context.ts'
import type { PartitionPlan } from './compaction-plan.ts'

/** Whether the next generation of a partition may be made; `from` is where the catalog has it. */
export type Readiness =
  | { readonly kind: 'ready'; readonly from: string }
  | { readonly kind: 'open' | 'refused'; readonly reason: string }

/** Why nothing can be done with a partition now, or that it can. */
export const readinessOf = async (
  context: CompactionContext,
  plan: PartitionPlan,
  { olderThanMillis, mayBeGone }: { readonly olderThanMillis: number; readonly mayBeGone: boolean },
): Promise<Readiness> => {
  const { runtime, betweenMillis, signal, catalog } = context
  if (plan.obstacle) return plan.obstacle
  const now = runtime.now()
  if (plan.writtenAt !== undefined && now - plan.writtenAt < olderThanMillis)
    return { kind: 'open', reason: `it was written to at ${new Date(plan.writtenAt).toISOString()}` }
  // Others may have gone on since the plan.
  const { newest } = plan.files
  const latest = (await generationsNow(context, plan.path)).at(-1)
  if (latest?.record.generation !== newest?.record.generation)
    return { kind: 'open', reason: 'another compactor is at work on it' }
  if (latest?.switched && now - Date.parse(latest.switched.doneAt) < betweenMillis)
    return { kind: 'open', reason: `it was switched at ${latest.switched.doneAt}` }
  // Rows that come after a removal make the partition anew in its first folder.
  const from = newest?.record.to ?? plan.folder
  const location = (await catalog.get(plan.values, signal ? { signal } : {}))?.location
  if (location === from || (location === undefined && mayBeGone)) return { kind: 'ready', from }
  return {
    kind: 'refused',
    reason:
      location === undefined
        ? `the catalog does not have the partition; register it with location ${from}`
        : `the catalog has the partition at ${location}, not at ${from}`,
  }
}
