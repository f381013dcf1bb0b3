import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Durability } from '../durability.ts'
import { foundOf } from '../glue/batch-get.ts'
import { withoutUndefined } from '../glue/definition-input.ts'
import { pageByName } from '../glue/page-token.ts'
import { invalidRequest } from './athena-error.ts'
import type { AthenaOperations } from './athena-operations.ts'
import { KeyedLog } from './keyed-log.ts'
import type { WorkGroups } from './work-groups.ts'

/** A query kept under a name for people; it is not run by it. */
interface NamedQuery {
  readonly id: string
  readonly name: string
  readonly description?: string
  readonly database: string
  readonly sql: string
  readonly workGroup: string
  /** The caller's token: the same one makes no second query. */
  readonly token?: string
}

/** Named queries, kept in a log. */
export class NamedQueries {
  readonly #log: KeyedLog<NamedQuery>

  constructor(dataDirectory: string, durability: Durability) {
    this.#log = new KeyedLog(join(dataDirectory, 'named-queries.log'), durability)
  }

  find(id: string): NamedQuery | undefined {
    return this.#log.get(id)
  }

  /** The query, or an InvalidRequestException. */
  require(id: string): NamedQuery {
    const query = this.find(id)
    if (query === undefined) throw invalidRequest(`NamedQuery ${id} was not found`)
    return query
  }

  /** The queries of a work group, in the order they were made. */
  list(workGroup: string): readonly NamedQuery[] {
    return this.#log.values().filter((one) => one.workGroup === workGroup)
  }

  /** Keeps a query; answers its id, which is that of an earlier call with the same token. */
  create(query: Omit<NamedQuery, 'id'>): string {
    const former =
      query.token === undefined ? undefined : this.#log.values().find((one) => one.token === query.token)
    if (former !== undefined) {
      const { id, ...rest } = former
      if (JSON.stringify(rest) === JSON.stringify(query)) return id
      throw invalidRequest('Idempotent parameters do not match')
    }
    const id = randomUUID()
    this.#log.set(id, { ...query, id })
    return id
  }

  update(id: string, change: Pick<NamedQuery, 'name' | 'sql'> & { readonly description?: string }): void {
    this.#log.set(id, { ...this.require(id), ...change })
  }

  delete(id: string): void {
    this.require(id)
    this.#log.delete(id)
  }

  /** Removes what a work group that is deleted leaves. */
  deleteAll(workGroup: string): void {
    for (const { id } of this.list(workGroup)) this.#log.delete(id)
  }

  close(): void {
    this.#log.close()
  }
}

/** CreateNamedQuery and its like. */
export function namedQueryOperations(queries: NamedQueries, workGroups: WorkGroups): AthenaOperations {
  const sqlLimits = { min: 1, max: 262_144 }
  const nameLimits = { min: 1, max: 128 }
  return {
    CreateNamedQuery(input) {
      const query = withoutUndefined({
        name: input.string('Name', nameLimits),
        description: input.optionalString('Description', { min: 1, max: 1024 }),
        database: input.string('Database', { min: 1, max: 255 }),
        sql: input.string('QueryString', sqlLimits),
        workGroup: workGroups.require(input.optionalString('WorkGroup') ?? 'primary').name,
        token: input.optionalString('ClientRequestToken', { min: 32, max: 128 }),
      })
      return { NamedQueryId: queries.create(query) }
    },
    GetNamedQuery(input) {
      return { NamedQuery: queryOutput(queries.require(input.string('NamedQueryId'))) }
    },
    UpdateNamedQuery(input) {
      const description = input.optionalString('Description', { max: 1024 })
      queries.update(
        input.string('NamedQueryId', nameLimits),
        withoutUndefined({
          name: input.string('Name', nameLimits),
          sql: input.string('QueryString', sqlLimits),
          description,
        }),
      )
      return {}
    },
    DeleteNamedQuery(input) {
      queries.delete(input.string('NamedQueryId'))
      return {}
    },
    BatchGetNamedQuery(input) {
      const ids = input.strings('NamedQueryIds', { min: 1, max: 50 })
      const { found, absent } = foundOf(ids, (id) => queries.find(id))
      return {
        NamedQueries: found.map(queryOutput),
        UnprocessedNamedQueryIds: absent.map((id) => ({
          NamedQueryId: id,
          ErrorCode: 'INVALID_INPUT',
          ErrorMessage: `NamedQuery ${id} was not found`,
        })),
      }
    },
    ListNamedQueries(input) {
      const group = workGroups.require(input.optionalString('WorkGroup') ?? 'primary')
      const ids = queries.list(group.name).map((one) => one.id)
      const page = pageByName(ids.sort(), {
        nameOf: (id) => id,
        limit: input.optionalInteger('MaxResults', { min: 0, max: 50 }) || 50,
        token: input.optionalString('NextToken'),
        errorName: 'InvalidRequestException',
      })
      return { NamedQueryIds: page.items, NextToken: page.nextToken }
    },
  }
}

const queryOutput = (query: NamedQuery) => ({
  NamedQueryId: query.id,
  Name: query.name,
  Description: query.description,
  Database: query.database,
  QueryString: query.sql,
  WorkGroup: query.workGroup,
})
