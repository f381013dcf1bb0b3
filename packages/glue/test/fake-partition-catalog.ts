import type { Partition, PartitionInput } from '@aws-sdk/client-glue'
import { fakeGlue, type SentCommand, serviceException } from './fake-glue.ts'

/** Glue's own limits of items a call. */
const limits: Readonly<Record<string, number>> = {
  BatchCreatePartition: 100,
  BatchUpdatePartition: 100,
  BatchDeletePartition: 25,
  BatchGetPartition: 1000,
}
const itemsOf = ({ input }: SentCommand): readonly (PartitionInput & { PartitionValueList?: string[] })[] =>
  input.PartitionInputList ?? input.Entries ?? input.PartitionsToDelete ?? input.PartitionsToGet ?? []

export interface CatalogFaults {
  /** Throws the name it answers instead of taking the call. */
  readonly refuseCall?: (command: SentCommand) => string | undefined
  /** Answers the error code of one item, which is then not done. */
  readonly refuseItem?: (values: readonly string[], command: SentCommand) => string | undefined
  /** The call takes effect, and its answer is lost in the name it answers. */
  readonly loseAnswer?: (command: SentCommand) => string | undefined
  /** How many partitions one answer of BatchGetPartition or GetPartitions carries. */
  readonly answerSize?: number
}

/** The partitions of one table behind Glue's batch calls, with Glue's limits held and faults on demand. */
export const fakePartitionCatalog = (faults: CatalogFaults = {}) => {
  const partitions = new Map<string, Partition>()
  const keyOf = (values: readonly string[] | undefined) => (values ?? []).join('/')
  const answerSize = faults.answerSize ?? 1000
  const answer = (command: SentCommand): object => {
    const { operation, input } = command
    const items = itemsOf(command)
    if (items.length > (limits[operation] ?? 0) && limits[operation] !== undefined) {
      throw serviceException('ValidationException', `${items.length} items`)
    }
    const refused = faults.refuseCall?.(command)
    if (refused !== undefined) throw serviceException(refused)
    const errors: { values: string[]; code: string }[] = []
    const each = (apply: (item: (typeof items)[number], values: string[]) => string | undefined) => {
      for (const item of items) {
        const values = item.PartitionValueList ?? item.Values ?? []
        const code = faults.refuseItem?.(values, command) ?? apply(item, values)
        if (code !== undefined) errors.push({ values, code })
      }
    }
    const detailed = (member: 'PartitionValues' | 'PartitionValueList') => ({
      Errors: errors.map(({ values, code }) => ({
        [member]: values,
        ErrorDetail: { ErrorCode: code, ErrorMessage: `${code} of ${keyOf(values)}.` },
      })),
    })
    switch (operation) {
      case 'BatchCreatePartition':
        each((item, values) => {
          if (partitions.has(keyOf(values))) return 'AlreadyExistsException'
          partitions.set(keyOf(values), { ...item })
          return undefined
        })
        return detailed('PartitionValues')
      case 'BatchUpdatePartition':
        each((item, values) => {
          if (!partitions.has(keyOf(values))) return 'EntityNotFoundException'
          const { PartitionInput } = item as { PartitionInput?: PartitionInput }
          partitions.set(keyOf(values), { ...PartitionInput })
          return undefined
        })
        return detailed('PartitionValueList')
      case 'BatchDeletePartition':
        each((_, values) => (partitions.delete(keyOf(values)) ? undefined : 'EntityNotFoundException'))
        return detailed('PartitionValues')
      case 'BatchGetPartition': {
        const found = items.flatMap(({ Values }) => partitions.get(keyOf(Values)) ?? [])
        return {
          Partitions: found.slice(0, answerSize),
          UnprocessedKeys: found.slice(answerSize).map(({ Values }) => ({ Values })),
        }
      }
      case 'GetPartitions': {
        const { SegmentNumber = 0, TotalSegments = 1 } = input.Segment ?? {}
        const all = [...partitions.values()].filter((_, index) => index % TotalSegments === SegmentNumber)
        const start = Number(input.NextToken ?? 0)
        const next = start + answerSize
        return {
          Partitions: all.slice(start, next),
          ...(next < all.length ? { NextToken: String(next) } : {}),
        }
      }
      default:
        throw serviceException('UnknownOperationException', operation)
    }
  }
  const answerOrLose = (command: SentCommand): object => {
    const answered = answer(command)
    const lost = faults.loseAnswer?.(command)
    if (lost !== undefined) throw serviceException(lost)
    return answered
  }
  return { ...fakeGlue(answerOrLose), answer: answerOrLose, partitions }
}
