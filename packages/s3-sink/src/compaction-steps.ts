import { compactedByParameter, StockpipeError } from '@stockpipe/core'
import {
  attempts,
  type CompactionContext,
  deleteFiles,
  generationsNow,
  putRecord,
} from './compaction-context.ts'
import type { Generation } from './compaction-log.ts'
import { type CompactionRecord, writeCompactionStep } from './compaction-record.ts'
import { retry } from './retry.ts'

/**
 * How old the look at the generations may be that a change of the catalog relies on. Signatures hold 15 minutes more, so
 * that nothing of a generation reaches the catalog 40 minutes after its marker was made.
 */
const longestLookMillis = 5 * 60_000
const looksAtMost = 3

/** What became of a step: done, or why not. */
export type StepOutcome = { readonly done: true } | { readonly done: false; readonly reason: string }

const done: StepOutcome = { done: true }
const notDone = (reason: string): StepOutcome => ({ done: false, reason })

/**
 * Has the catalog say what a claimed generation says, and marks it as switched; whoever claimed it, any number of times.
 * Only the newest generation is ever switched to.
 */
export const switchGeneration = async (
  context: CompactionContext,
  { record }: Pick<Generation, 'record'>,
): Promise<StepOutcome> => {
  const { catalog, runtime, keys, writer, signal } = context
  const call = signal ? { signal } : {}
  for (let look = 1; ; look += 1) {
    const looked = runtime.now()
    const newest = (await generationsNow(context, record.path)).at(-1)
    if (newest?.record.generation !== record.generation || newest.switched) return done
    const change = {
      values: record.partitionValues,
      from: record.from,
      parameters: { [compactedByParameter]: record.sink },
    }
    const options = { ...call, signedBefore: looked + longestLookMillis }
    try {
      const answer =
        record.to === null
          ? await catalog.drop(change, options)
          : await catalog.switchLocation({ ...change, to: record.to }, options)
      if (answer === 'gone') {
        if (record.kind === 'compaction') return notDone('the catalog does not have the partition any more')
        // Else rows that come later would make it anew where the former files are.
        await catalog.create({ ...change, location: record.to ?? record.from }, options)
      }
      const now = await catalog.get(record.partitionValues, call)
      // Dropped before, and made anew in its first folder by rows that came since.
      const isAnew = record.to === null && now?.location === `${record.table.location}${record.path}`
      if (answer === 'elsewhere' && !isAnew) {
        return notDone(
          `the catalog has the partition at ${now?.location ?? 'no location'}, and the ${record.kind} began with ${record.from}`,
        )
      }
      const changed = record.to === null || now?.location === record.to
      const doneAt = runtime.now()
      if (changed) {
        await putRecord(
          context,
          keys.compaction(record.path, record.generation, 'switched'),
          writeCompactionStep('switched', stepRecord(record, writer, doneAt)),
          doneAt + longestLookMillis,
        )
        return done
      }
      if (look >= looksAtMost)
        return notDone(`the catalog keeps the partition at ${now?.location ?? 'no location'}`)
    } catch (error) {
      // It took too long between the look and the request: look again.
      const late = StockpipeError.isInstance(error) && error.code === 'SIGNED_TOO_LATE'
      if (!late || look >= looksAtMost) throw error
    }
  }
}

const stepRecord = (record: CompactionRecord, writer: string, doneAt: number) => ({
  sink: record.sink,
  writer,
  claimId: record.claimId,
  doneAt: new Date(doneAt).toISOString(),
})

/** Whether the grace time of a generation's former files is over. */
export const isRemovable = (
  { runtime, graceMillis }: CompactionContext,
  { switched, removed }: Generation,
): boolean =>
  switched !== undefined &&
  removed === undefined &&
  Date.parse(switched.doneAt) + graceMillis <= runtime.now()

/**
 * Deletes the files that generations took over or gave up, of all whose grace time is over; answers how many files. The
 * catalog is asked first: where it has the partition elsewhere than the newest generation says, nothing is deleted.
 */
export const removeFormerFiles = async (
  context: CompactionContext,
  path: string,
): Promise<{ readonly files: number; readonly refused?: string }> => {
  const { catalog, keys, writer, runtime, signal } = context
  const generations = await generationsNow(context, path)
  const newest = generations.at(-1)
  const due = generations.filter((generation) => isRemovable(context, generation))
  if (newest === undefined || due.length === 0) return { files: 0 }
  const switched = generations.findLast((generation) => generation.switched)?.record
  if (switched && switched.to !== null) {
    const now = await catalog.get(switched.partitionValues, signal ? { signal } : {})
    if (now !== undefined && now.location !== switched.to && now.location !== newest.record.to)
      return { files: 0, refused: `the catalog has the partition at ${now.location}, not at ${switched.to}` }
  }
  let files = 0
  for (const { record } of due) {
    await deleteFiles(
      context,
      record.sources.map(({ key }) => key),
    )
    files += record.sources.length
    await putRecord(
      context,
      keys.compaction(path, record.generation, 'removed'),
      writeCompactionStep('removed', stepRecord(record, writer, runtime.now())),
    )
  }
  return { files }
}

const folderName = /^(\d{6})-([0-9a-f]{32})\//

/**
 * Deletes what compactors left that were not the ones to claim: their folder carries the generation, which somebody else
 * has. What may still be claimed is left alone, whatever its age.
 */
export const removeAbandoned = async (context: CompactionContext, path: string): Promise<number> => {
  const { files, signal, compactedPrefix } = context
  const call = signal ? { signal } : {}
  const prefix = `${compactedPrefix}${path}`
  const found: { readonly key: string; readonly uploadId?: string }[] = []
  await retry(context, { signal, attempts, what: `listing ${prefix}` }, async () => {
    found.length = 0
    for await (const { key } of files.list(prefix, call)) found.push({ key })
    for await (const { key, uploadId } of files.listUploads(prefix, call)) found.push({ key, uploadId })
  })
  if (found.length === 0) return 0
  // Read after the listing: whoever claims from here on has another folder.
  const claims = new Map(
    (await generationsNow(context, path)).map(({ record }) => [record.generation, record.claimId]),
  )
  const abandoned = found.filter(({ key }) => {
    const match = folderName.exec(key.slice(prefix.length))
    const claimed = match && claims.get(Number(match[1]))
    return claimed !== undefined && claimed !== null && claimed !== match![2]
  })
  for (const { key, uploadId } of abandoned) {
    if (uploadId === undefined) continue
    await retry(context, { signal, attempts, what: `aborting ${key}` }, () =>
      files.abortUpload(key, uploadId, call),
    )
  }
  await deleteFiles(
    context,
    abandoned.flatMap(({ key, uploadId }) => (uploadId === undefined ? [key] : [])),
  )
  return abandoned.length
}
