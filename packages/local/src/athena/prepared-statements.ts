import { join } from 'node:path'
import type { Durability } from '../durability.ts'
import { foundOf } from '../glue/batch-get.ts'
import { withoutUndefined } from '../glue/definition-input.ts'
import type { InputMembers } from '../glue/input-members.ts'
import { pageByName } from '../glue/page-token.ts'
import { ServiceError } from '../http/json-service.ts'
import { invalidRequest } from './athena-error.ts'
import type { AthenaOperations } from './athena-operations.ts'
import { KeyedLog } from './keyed-log.ts'
import type { WorkGroups } from './work-groups.ts'

/** A statement kept by name in a work group; times in seconds since the epoch. */
export interface PreparedStatement {
  readonly name: string
  readonly workGroup: string
  readonly sql: string
  readonly description?: string
  readonly lastModifiedTime: number
}

const mostOfWorkGroup = 1000
const namePattern = /^[a-zA-Z_][a-zA-Z0-9_@:]{0,255}$/

/** Prepared statements, kept in a log. */
export class PreparedStatements {
  readonly #log: KeyedLog<PreparedStatement>

  constructor(dataDirectory: string, durability: Durability) {
    this.#log = new KeyedLog(join(dataDirectory, 'prepared-statements.log'), durability)
  }

  find(workGroup: string, name: string): PreparedStatement | undefined {
    return this.#log.get(keyOf(workGroup, name))
  }

  /** The statement, or a ResourceNotFoundException. */
  require(workGroup: string, name: string): PreparedStatement {
    const statement = this.find(workGroup, name)
    if (statement !== undefined) return statement
    throw new ServiceError(
      'ResourceNotFoundException',
      `PreparedStatement ${name} was not found in workGroup ${workGroup}`,
      { members: { ResourceName: name } },
    )
  }

  /** The statements of a work group, by name. */
  list(workGroup: string): readonly PreparedStatement[] {
    return this.#log
      .values()
      .filter((one) => one.workGroup === workGroup)
      .sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  /** Keeps a new statement; one of its name is an InvalidRequestException. */
  create(statement: Omit<PreparedStatement, 'lastModifiedTime'>): void {
    const { workGroup, name } = statement
    if (!namePattern.test(name)) {
      throw invalidRequest(`The statement name ${name} is not valid: it must match ${namePattern.source}`)
    }
    if (this.find(workGroup, name) !== undefined) {
      throw invalidRequest(`PreparedStatement ${name} already exists in workGroup ${workGroup}`)
    }
    if (this.list(workGroup).length >= mostOfWorkGroup) {
      throw invalidRequest(
        `WorkGroup ${workGroup} has ${mostOfWorkGroup} prepared statements, the most there can be`,
      )
    }
    this.#keep(statement)
  }

  /** Replaces a statement. */
  update(statement: Omit<PreparedStatement, 'lastModifiedTime'>): void {
    this.require(statement.workGroup, statement.name)
    this.#keep(statement)
  }

  delete(workGroup: string, name: string): void {
    this.require(workGroup, name)
    this.#log.delete(keyOf(workGroup, name))
  }

  /** Removes what a work group that is deleted leaves. */
  deleteAll(workGroup: string): void {
    for (const { name } of this.list(workGroup)) this.#log.delete(keyOf(workGroup, name))
  }

  close(): void {
    this.#log.close()
  }

  #keep(statement: Omit<PreparedStatement, 'lastModifiedTime'>): void {
    const { workGroup, name } = statement
    this.#log.set(keyOf(workGroup, name), { ...statement, lastModifiedTime: Date.now() / 1000 })
  }
}

const keyOf = (workGroup: string, name: string): string => `${workGroup}/${name}`

/** CreatePreparedStatement and its like. */
export function preparedStatementOperations(
  statements: PreparedStatements,
  workGroups: WorkGroups,
): AthenaOperations {
  const groupOf = (input: InputMembers): string => workGroups.require(input.string('WorkGroup')).name
  const nameOf = (input: InputMembers): string => input.string('StatementName', { min: 1, max: 256 })
  const statementOf = (input: InputMembers) =>
    withoutUndefined({
      name: nameOf(input),
      workGroup: groupOf(input),
      sql: input.string('QueryStatement', { min: 1, max: 262_144 }),
      description: input.optionalString('Description', { min: 1, max: 1024 }),
    })
  return {
    CreatePreparedStatement(input) {
      statements.create(statementOf(input))
      return {}
    },
    UpdatePreparedStatement(input) {
      statements.update(statementOf(input))
      return {}
    },
    GetPreparedStatement(input) {
      return { PreparedStatement: statementOutput(statements.require(groupOf(input), nameOf(input))) }
    },
    DeletePreparedStatement(input) {
      statements.delete(groupOf(input), nameOf(input))
      return {}
    },
    ListPreparedStatements(input) {
      const page = pageByName(statements.list(groupOf(input)), {
        nameOf: (one) => one.name,
        limit: input.optionalInteger('MaxResults', { min: 1, max: 50 }) ?? 50,
        token: input.optionalString('NextToken', { min: 1, max: 1024 }),
        errorName: 'InvalidRequestException',
      })
      return {
        PreparedStatements: page.items.map(({ name, lastModifiedTime }) => ({
          StatementName: name,
          LastModifiedTime: lastModifiedTime,
        })),
        NextToken: page.nextToken,
      }
    },
    BatchGetPreparedStatement(input) {
      const group = groupOf(input)
      const names = input.strings('PreparedStatementNames', { max: 50 }, { min: 1, max: 256 })
      const { found, absent } = foundOf(names, (name) => statements.find(group, name))
      return {
        PreparedStatements: found.map(statementOutput),
        UnprocessedPreparedStatementNames: absent.map((name) => ({
          StatementName: name,
          ErrorCode: 'STATEMENT_NOT_FOUND',
          ErrorMessage: `PreparedStatement ${name} was not found in workGroup ${group}`,
        })),
      }
    },
  }
}

const statementOutput = (statement: PreparedStatement) => ({
  StatementName: statement.name,
  QueryStatement: statement.sql,
  WorkGroupName: statement.workGroup,
  Description: statement.description,
  LastModifiedTime: statement.lastModifiedTime,
})
