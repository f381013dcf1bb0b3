import { type TableDefinition, unescapePartitionValue } from '@stockpipe/core'
import { UsageError } from './command.ts'

/** Tells partitions by their values, in the order of the table's partitions. */
export type PartitionFilter = (values: readonly (string | null)[]) => boolean

/**
 * The partitions that one of the texts names: `trade_date=2026-01-02/ticker=IBM` as reports show it, or some of its parts.
 * Throws a `UsageError` for a name the table does not have.
 */
export const partitionFilter = (table: TableDefinition, texts: readonly string[]): PartitionFilter => {
  const wanted = texts.map((text) =>
    text
      .replace(/\/$/, '')
      .split('/')
      .map((part) => {
        const at = part.indexOf('=')
        const index = table.partitions.findIndex(({ name }) => name === part.slice(0, at))
        if (at > 0 && index >= 0) return { index, value: unescapePartitionValue(part.slice(at + 1)) }
        const names = table.partitions.map(({ name }) => `${name}=…`).join('/')
        throw new UsageError(`--partition takes ${names} or some of its parts, not '${text}'`)
      }),
  )
  return (values) =>
    wanted.some((parts) => parts.every(({ index, value }) => (values[index] || null) === (value || null)))
}
