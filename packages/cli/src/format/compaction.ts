import type {
  CompactedPartition,
  CompactionReport,
  RetiredPartition,
  RetirementReport,
} from '@stockpipe/s3-sink'

const number = new Intl.NumberFormat('en-US')
const megabytes = (bytes: number): string => `${number.format(Math.round(bytes / 1e5) / 10)} MB`

/** What was done to each partition, a line each, and how many of which. */
export const compactionText = ({ partitions }: CompactionReport): string =>
  `${partitions.filter(isTold).map(compactedLine).join('')}${summary(partitions)}`

export const retirementText = ({ partitions }: RetirementReport): string =>
  `${partitions.map(retiredLine).join('')}${summary(partitions)}`

const isTold = ({ outcome, reason, removedFiles }: CompactedPartition): boolean =>
  outcome !== 'unchanged' || reason !== undefined || removedFiles > 0

const compactedLine = (one: CompactedPartition): string => {
  const { partition, outcome, reason, before, after } = one
  const unread = before.unreadFiles > 0 ? `, ${number.format(before.unreadFiles)} not read so far` : ''
  const from = `${number.format(before.files)} files of ${megabytes(before.bytes)}${unread}`
  const to = after
    ? ` into ${number.format(after.files)} of ${megabytes(after.bytes)}, ${number.format(after.rows)} rows`
    : ''
  return `${partition}: ${outcome}, ${from}${to}${reason ? `: ${reason}` : ''}${removed(one)}\n`
}

const retiredLine = (one: RetiredPartition): string => {
  const { partition, outcome, reason, files, rows } = one
  return `${partition}: ${outcome}, ${number.format(rows)} rows in ${number.format(files)} files${reason ? `: ${reason}` : ''}${removed(one)}\n`
}

const removed = ({ removedFiles }: { readonly removedFiles: number }): string =>
  removedFiles === 0 ? '' : `; ${number.format(removedFiles)} former files removed`

const summary = (partitions: readonly { readonly outcome: string }[]): string => {
  const outcomes = new Map<string, number>()
  for (const { outcome } of partitions) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  const counts = [...outcomes].map(([outcome, count]) => `${number.format(count)} ${outcome}`)
  return `${number.format(partitions.length)} partitions${counts.length > 0 ? `: ${counts.join(', ')}` : ''}\n`
}
