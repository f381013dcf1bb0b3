import { pageByName } from '../glue/page-token.ts'
import { invalidRequest } from './athena-error.ts'
import type { AthenaOperations } from './athena-operations.ts'
import type { NamedQueries } from './named-queries.ts'
import type { PreparedStatements } from './prepared-statements.ts'
import { engineVersion } from './query-execution.ts'
import type { QueryHistory } from './query-history.ts'
import { type Tags, tagsOf } from './tags.ts'
import { type WorkGroups, workGroupOutput } from './work-groups.ts'

/** What belongs to a work group. */
interface WorkGroupContents {
  readonly history: QueryHistory
  readonly preparedStatements: PreparedStatements
  readonly namedQueries: NamedQueries
  readonly tags: Tags
}

/** Work groups as the API shows and changes them. */
export function workGroupOperations(
  workGroups: WorkGroups,
  { history, preparedStatements, namedQueries, tags }: WorkGroupContents,
): AthenaOperations {
  return {
    GetWorkGroup(input) {
      return { WorkGroup: workGroupOutput(workGroups.require(input.string('WorkGroup'))) }
    },
    ListWorkGroups(input) {
      const { items, nextToken } = pageByName(workGroups.list(), {
        nameOf: (group) => group.name,
        limit: input.optionalInteger('MaxResults', { min: 1, max: 50 }) ?? 50,
        token: input.optionalString('NextToken'),
        errorName: 'InvalidRequestException',
      })
      const summaries = items.map((group) => ({
        Name: group.name,
        State: group.state,
        Description: group.description,
        CreationTime: group.creationTime,
        EngineVersion: engineVersion,
      }))
      return { WorkGroups: summaries, NextToken: nextToken }
    },
    ListEngineVersions() {
      return {
        EngineVersions: [
          engineVersion,
          { ...engineVersion, SelectedEngineVersion: engineVersion.EffectiveEngineVersion },
        ],
      }
    },
    CreateWorkGroup(input) {
      const given = tagsOf(input)
      const name = workGroups.create(input)
      if (Object.keys(given).length > 0) tags.add(`workgroup/${name}`, given)
      return {}
    },
    UpdateWorkGroup(input) {
      workGroups.update(input)
      return {}
    },
    DeleteWorkGroup(input) {
      const group = workGroups.require(input.string('WorkGroup'))
      const { name } = group
      const contents = [preparedStatements.list(name), namedQueries.list(name), history.list(group)]
      const isEmpty = contents.every((list) => list.length === 0)
      const isRecursive = input.optionalBoolean('RecursiveDeleteOption') === true
      if (name !== 'primary' && !isEmpty && !isRecursive) {
        throw invalidRequest(`WorkGroup ${name} is not empty`)
      }
      workGroups.delete(input)
      preparedStatements.deleteAll(name)
      namedQueries.deleteAll(name)
      tags.deleteAll(`workgroup/${name}`)
      return {}
    },
  }
}
