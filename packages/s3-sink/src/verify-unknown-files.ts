import { readFileKey, visibleTopic } from './data-file-key.ts'
import type { ReadChain, ReportProblem } from './verify-chain.ts'
import type { TableListings } from './verify-files.ts'

/** Answers the files that no entry names; whoever reads the table reads them too. */
export const findUnknown = (
  chains: readonly ReadChain[],
  tables: TableListings,
  hash: string,
  problem: ReportProblem,
): readonly string[] => {
  const named = new Set(
    chains.flatMap(({ entries }) =>
      entries.flatMap((entry) => entry.files.map((file) => `s3://${entry.table.bucket}/${file.key}`)),
    ),
  )
  const pruned = new Map<ReadChain, number>()
  const unknown: string[] = []
  for (const [location, { bucket, sizes }] of tables) {
    for (const key of sizes.keys()) {
      const address = `s3://${bucket}/${key}`
      // Readers skip what is hidden, and the empty objects that stand for folders.
      const hidden = address
        .slice(location.length)
        .split('/')
        .some((name) => /^[_.]/.test(name))
      if (named.has(address) || hidden || key.endsWith('/')) continue
      const former = prunedChain(key, chains, hash)
      if (former) {
        pruned.set(former, (pruned.get(former) ?? 0) + 1)
        continue
      }
      unknown.push(address)
      problem('FILE_UNKNOWN', `${key} is named by no group, and queries read it.`, bucket, key)
    }
  }
  for (const [{ log, checkpoint }, files] of pruned) {
    const most = checkpoint!.pruned.files
    if (files <= most) continue
    const key = `${log.topic}-${log.partition}`
    const { bucket } = [...tables.values()][0]!
    problem(
      'PRUNED_FILES_MORE',
      `${key}: ${files} files carry the names of groups before offset ${checkpoint!.next}, and the pruned groups had ${most}.`,
      bucket,
      key,
    )
  }
  return unknown
}

/**
 * Of a pruned group only the checkpoint is left, which does not name its files: whatever carries the name of such a
 * group is taken for one of them.
 */
const prunedChain = (key: string, chains: readonly ReadChain[], hash: string): ReadChain | undefined => {
  const file = readFileKey(key)
  if (file?.sinkHash !== hash) return undefined
  return chains.find(
    ({ log, checkpoint }) =>
      checkpoint !== undefined &&
      file.start < checkpoint.next &&
      file.partition === log.partition &&
      file.topic === visibleTopic(log.topic),
  )
}
