import { ServiceError } from '../http/json-service.ts'
import type { Catalog, PartitionRefusal } from './catalog.ts'
import { entityNotFound, errorDetail, invalidInput } from './catalog-errors.ts'
import type { GluePartition } from './catalog-model.ts'
import {
  partitionDefinition,
  partitionValueLimits,
  predicateLimits,
  unsupportedMember,
  withoutUndefined,
} from './definition-input.ts'
import { accountId, type GlueOperations } from './glue-operations.ts'
import type { InputMembers } from './input-members.ts'
import { pagePositionOf, pageTokenOf } from './page-token.ts'
import { type PartitionPredicate, parsePartitionExpression } from './partition-expression.ts'
import { databaseName, tableName } from './table-operations.ts'
import { partitionKeyOf } from './table-partitions.ts'

/** What one answer of BatchGetPartition carries at most; the rest is left to be asked for again. */
const answerCharacters = 4_000_000

/** The operations on partitions, with Glue's batch limits and per-item errors. */
export function partitionOperations(catalog: Catalog): GlueOperations {
  return {
    CreatePartition(input) {
      const definition = partitionDefinition(input.object('PartitionInput'))
      const [refused] = catalog.createPartitions(databaseName(input), tableName(input), [definition])
      if (refused !== undefined) throw refused.error
      return {}
    },
    BatchCreatePartition(input) {
      const definitions = input.objects('PartitionInputList', { max: 100 }).map(partitionDefinition)
      return errorsOutput(catalog.createPartitions(databaseName(input), tableName(input), definitions))
    },
    GetPartition(input) {
      const values = input.strings('PartitionValues', {}, partitionValueLimits)
      const partition = catalog.getPartition(databaseName(input), tableName(input), values)
      if (partition === undefined) throw entityNotFound('Cannot find partition.')
      return { Partition: partitionOutput(partition) }
    },
    GetPartitions(input) {
      input.refuse(['TransactionId', 'QueryAsOfTime'], unsupportedMember)
      const table = catalog.requireTable(databaseName(input), tableName(input))
      const expression = input.optionalString('Expression', predicateLimits)
      const matches: PartitionPredicate =
        expression === undefined || expression.trim() === ''
          ? () => true
          : parsePartitionExpression(expression, table.PartitionKeys ?? [])
      const inSegment = segmentPredicate(input.optionalObject('Segment'))
      const page = catalog.partitionsOf(table.DatabaseName, table.Name).page({
        after: pagePositionOf(input.optionalString('NextToken'), 'InvalidInputException'),
        limit: input.optionalInteger('MaxResults', { min: 1, max: 1000 }) ?? 1000,
        predicate: (values) => inSegment(values) && matches(values),
      })
      const output = input.optionalBoolean('ExcludeColumnSchema') ? outputWithoutColumns : partitionOutput
      return {
        Partitions: page.partitions.map(output),
        NextToken: page.next === undefined ? undefined : pageTokenOf(page.next),
      }
    },
    BatchGetPartition(input) {
      const partitions = catalog.partitionsOf(databaseName(input), tableName(input))
      const lists = input.objects('PartitionsToGet', { max: 1000 }).map(valueList)
      // Partitions that are not there are left out without a word, as by Glue itself.
      const found = lists.flatMap((values) => partitions.get(values) ?? [])
      let characters = 0
      let given = 0
      while (given < found.length && characters < answerCharacters) {
        characters += JSON.stringify(found[given]).length
        given += 1
      }
      return {
        Partitions: found.slice(0, given).map(partitionOutput),
        UnprocessedKeys: found.slice(given).map(({ Values }) => ({ Values })),
      }
    },
    UpdatePartition(input) {
      const values = input.strings('PartitionValueList', { max: 100 }, partitionValueLimits)
      const definition = partitionDefinition(input.object('PartitionInput'))
      catalog.updatePartition(databaseName(input), tableName(input), values, definition)
      return {}
    },
    BatchUpdatePartition(input) {
      const table = catalog.requireTable(databaseName(input), tableName(input))
      const entries = input.objects('Entries', { min: 1, max: 100 }).map((entry) => ({
        values: entry.strings('PartitionValueList', { max: 100 }, partitionValueLimits),
        definition: partitionDefinition(entry.object('PartitionInput')),
      }))
      const errors = entries.flatMap(({ values, definition }) => {
        try {
          catalog.updatePartition(table.DatabaseName, table.Name, values, definition)
          return []
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error
          return [{ PartitionValueList: values, ErrorDetail: errorDetail(error) }]
        }
      })
      return errors.length > 0 ? { Errors: errors } : {}
    },
    DeletePartition(input) {
      const values = input.strings('PartitionValues', {}, partitionValueLimits)
      const [refused] = catalog.deletePartitions(databaseName(input), tableName(input), [values])
      if (refused !== undefined) throw refused.error
      return {}
    },
    BatchDeletePartition(input) {
      const lists = input.objects('PartitionsToDelete', { max: 25 }).map(valueList)
      return errorsOutput(catalog.deletePartitions(databaseName(input), tableName(input), lists))
    },
  }
}

const valueList = (item: InputMembers): readonly string[] => item.strings('Values', {}, partitionValueLimits)

function errorsOutput(refusals: readonly PartitionRefusal[]) {
  if (refusals.length === 0) return {}
  return {
    Errors: refusals.map(({ values, error }) => ({
      PartitionValues: values,
      ErrorDetail: errorDetail(error),
    })),
  }
}

const partitionOutput = (partition: GluePartition) => ({ ...partition, CatalogId: accountId })

function outputWithoutColumns(partition: GluePartition) {
  const { StorageDescriptor, ...rest } = partitionOutput(partition)
  if (StorageDescriptor === undefined) return rest
  return { ...rest, StorageDescriptor: withoutUndefined({ ...StorageDescriptor, Columns: undefined }) }
}

/** A segment is a fixed share of a table's partitions, by a hash of their values. */
function segmentPredicate(segment: InputMembers | undefined): PartitionPredicate {
  if (segment === undefined) return () => true
  const total = segment.integer('TotalSegments', { min: 1, max: 10 })
  const number = segment.integer('SegmentNumber', { min: 0 })
  if (number >= total) throw invalidInput(`SegmentNumber ${number} must be below TotalSegments ${total}.`)
  return (values) => hashOf(partitionKeyOf(values)) % total === number
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
