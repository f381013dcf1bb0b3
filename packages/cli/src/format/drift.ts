import type { ColumnChange, DriftReport, SchemaDrift } from '@stockpipe/glue'
import { visible } from './table.ts'

const number = new Intl.NumberFormat('en-US')
const counted = (count: number, one: string): string =>
  `${number.format(count)} ${one}${count === 1 ? '' : 's'}`

/** A table's report: places of the same differences together, with the first of them and how many there are. */
export const driftText = ({
  table,
  report,
}: {
  readonly table: string
  readonly report: DriftReport
}): string => {
  const groups = new Map<string, { first: SchemaDrift; count: number }>()
  for (const drift of report.drifts) {
    const key = JSON.stringify([drift.kind, drift.changes, drift.unreadable])
    const group = groups.get(key) ?? { first: drift, count: 0 }
    group.count += 1
    groups.set(key, group)
  }
  const compared = `${counted(report.partitions, 'partition')} and ${counted(report.files, 'file')} compared`
  const head = `${report.ok ? '=' : '!'} table ${table}: ${compared}, ${report.ok ? 'nothing has drifted' : `${counted(report.drifts.length, 'place')} differing`}\n`
  return head + [...groups.values()].map(groupText).join('')
}

const groupText = ({ first, count }: { readonly first: SchemaDrift; readonly count: number }): string => {
  const more = count === 1 ? '' : ` and ${number.format(count - 1)} more`
  const lines = first.unreadable === undefined ? first.changes.map(changeText) : [first.unreadable]
  return `    ${first.kind} ${visible(first.place)}${more}\n${lines.map((line) => `        ${visible(line)}\n`).join('')}`
}

const changeText = (change: ColumnChange): string => {
  const { path, before, after, reason } = change
  return `${path} ${before ?? '(none)'} -> ${after ?? '(none)'}: ${reason}`
}
