import { createHash, randomUUID } from 'node:crypto'
import { foundOf } from '../glue/batch-get.ts'
import { unsupportedMember } from '../glue/definition-input.ts'
import { parseLocation, type StorageLocation } from '../glue/hive-path.ts'
import type { InputMembers } from '../glue/input-members.ts'
import { pageNewestFirst } from '../glue/page-token.ts'
import type { ObjectStorage } from '../object-storage.ts'
import type { QueryEngine } from '../sql/query-engine.ts'
import { invalidRequest } from './athena-error.ts'
import { type AthenaOperations, catalogName } from './athena-operations.ts'
import { isFinal, type QueryExecution, queryExecutionOutput, timelineOf } from './query-execution.ts'
import type { QueryHistory } from './query-history.ts'
import type { QueryRunner } from './query-runner.ts'
import type { ResultFiles } from './result-files.ts'
import { reusableExecution, reuseMaxAgeOf } from './result-reuse.ts'
import { type StatementKind, statementKindOf, withoutLeadingComments } from './statement-kind.ts'
import { refuseMalformed } from './statement-syntax.ts'
import type { WorkGroup, WorkGroups } from './work-groups.ts'

interface QueryOperationsOptions {
  readonly history: QueryHistory
  readonly runner: QueryRunner
  readonly storage: ObjectStorage
  readonly resultFiles: ResultFiles
  readonly workGroups: WorkGroups
  readonly queryEngine: () => Promise<QueryEngine>
}

/** Starting, watching and stopping queries. */
export function queryOperations(options: QueryOperationsOptions): AthenaOperations {
  const { history, runner, workGroups } = options
  const queryOf = (input: InputMembers): QueryExecution =>
    requireQuery(history, input.string('QueryExecutionId'))
  return {
    async StartQueryExecution(input) {
      return { QueryExecutionId: await startQuery(options, input) }
    },
    GetQueryExecution(input) {
      return { QueryExecution: queryExecutionOutput(queryOf(input), Date.now()) }
    },
    BatchGetQueryExecution(input) {
      const ids = input.strings('QueryExecutionIds', { min: 1, max: 50 })
      const { found, absent } = foundOf(ids, (id) => history.find(id))
      return {
        QueryExecutions: found.map((one) => queryExecutionOutput(one, Date.now())),
        UnprocessedQueryExecutionIds: absent.map((id) => ({
          QueryExecutionId: id,
          ErrorCode: 'INVALID_INPUT',
          ErrorMessage: `QueryExecution ${id} was not found`,
        })),
      }
    },
    ListQueryExecutions(input) {
      const group = workGroups.require(input.optionalString('WorkGroup') ?? 'primary')
      const page = pageNewestFirst(history.list(group), {
        idOf: (one) => one.id,
        timeOf: (one) => one.submittedMillis,
        limit: input.optionalInteger('MaxResults', { min: 0, max: 50 }) || 50,
        token: input.optionalString('NextToken'),
        errorName: 'InvalidRequestException',
      })
      return { QueryExecutionIds: page.items.map((one) => one.id), NextToken: page.nextToken }
    },
    GetQueryRuntimeStatistics(input) {
      const execution = queryOf(input)
      const { scannedBytes = 0, outputRows, updateCount } = execution
      return {
        QueryRuntimeStatistics: {
          Timeline: timelineOf(execution, Date.now()),
          Rows: { InputBytes: scannedBytes, OutputRows: updateCount ?? outputRows ?? 0 },
        },
      }
    },
    StopQueryExecution(input) {
      const execution = queryOf(input)
      if (!isFinal(execution.state)) runner.stop(execution.id)
      return {}
    },
  }
}

export function requireQuery(history: QueryHistory, id: string): QueryExecution {
  const execution = history.find(id)
  if (execution === undefined) throw invalidRequest(`QueryExecution ${id} was not found`)
  return execution
}

async function startQuery(options: QueryOperationsOptions, input: InputMembers): Promise<string> {
  const { history, runner, workGroups } = options
  const sql = input.string('QueryString', { min: 1 })
  if (Buffer.byteLength(sql) > 262_144) {
    throw invalidRequest('The query string is longer than the maximum of 262144 bytes.')
  }
  input.refuse(['EngineConfiguration'], unsupportedMember)
  const token = input.optionalString('ClientRequestToken', { min: 32, max: 128 })
  const parameters = input.optionalStrings('ExecutionParameters', { min: 1 }, { min: 1, max: 1024 })
  const context = input.optionalObject('QueryExecutionContext')
  const database = context?.optionalString('Database', { min: 1, max: 255 })?.toLowerCase()
  const catalog = context?.optionalString('Catalog', { min: 1, max: 256 }) ?? catalogName
  if (catalog.toLowerCase() !== catalogName.toLowerCase()) {
    throw invalidRequest(`The data catalog ${catalog} is not found: the local stack has ${catalogName} only.`)
  }
  const group = workGroups.require(input.optionalString('WorkGroup', { min: 1, max: 128 }) ?? 'primary')
  if (group.state === 'DISABLED') throw invalidRequest(`WorkGroup ${group.name} is disabled.`)
  const location = placeOfResults(group, input.optionalObject('ResultConfiguration'))
  const kind = statementKindOf(sql)
  if (kind === undefined) {
    const word = withoutLeadingComments(sql).split(/\s/, 1)[0] || '<EOF>'
    throw invalidRequest(
      `line 1:1: mismatched input '${word}'. Expecting a statement of Athena`,
      'MALFORMED_QUERY',
    )
  }
  // An engine that cannot be opened fails the query, not the request.
  const engine = ['engine', 'trino'].includes(kind.runBy)
    ? await options.queryEngine().catch(() => undefined)
    : undefined
  if (engine !== undefined) refuseMalformed(sql, engine)
  if (parameters !== undefined && !takesParameters(kind.substatement)) {
    throw invalidRequest('ExecutionParameters are supported for SELECT, INSERT INTO, CTAS and UNLOAD only.')
  }
  const maxAge = reuseMaxAgeOf(input)
  if (location !== undefined && !(await options.storage.bucketExists(location.bucket))) {
    throw invalidRequest(`Unable to verify/create output bucket ${location.bucket}`)
  }
  const id = randomUUID()
  const folder = location === undefined ? '' : `s3://${location.bucket}/${location.prefix}`
  const outputLocation = `${folder}${resultName(id, kind)}`
  const request = { sql, database, workGroup: group.name, outputLocation, ...(parameters && { parameters }) }
  const reusable =
    maxAge === undefined || kind.substatement !== 'SELECT'
      ? undefined
      : await reusableExecution(history.list(group), options.resultFiles, request, maxAge, Date.now())
  // From here on nothing is awaited: of two equal calls the second finds the first.
  const digest = createHash('sha256')
    .update(JSON.stringify([sql, parameters, database, group.name, location]))
    .digest('hex')
  const former = token === undefined ? undefined : history.findByToken(token)
  if (former !== undefined) {
    if (former.clientRequest?.digest === digest) return former.id
    throw invalidRequest('Idempotent parameters do not match')
  }
  const submittedMillis = Date.now()
  const execution: QueryExecution = {
    id,
    ...request,
    statementType: kind.type,
    substatementType: kind.substatement,
    catalog: catalogName,
    submittedMillis,
    state: 'QUEUED',
    ...(location === undefined ? { managedResults: true } : {}),
    ...(token === undefined ? {} : { clientRequest: { token, digest } }),
    ...(maxAge === undefined ? {} : { reuseMaxAgeMinutes: maxAge }),
  }
  if (reusable === undefined) runner.submit(execution)
  else history.add(answeredBy(reusable, execution))
  return id
}

/** A query that is answered at once, by the result of an earlier one. */
function answeredBy(earlier: QueryExecution, execution: QueryExecution): QueryExecution {
  const { outputLocation, columns, outputRows } = earlier
  return {
    ...execution,
    outputLocation,
    ...(columns === undefined ? {} : { columns }),
    ...(outputRows === undefined ? {} : { outputRows }),
    state: 'SUCCEEDED',
    reused: true,
    scannedBytes: 0,
    engineMillis: 0,
    startedMillis: execution.submittedMillis,
    completedMillis: execution.submittedMillis,
  }
}

const takesParameters = (substatement: string): boolean =>
  ['SELECT', 'INSERT', 'CREATE_TABLE_AS_SELECT', 'UNLOAD', 'EXECUTE'].includes(substatement)

/** How the result of a statement is called, below the place of results. */
function resultName(id: string, { type, substatement }: StatementKind): string {
  if (substatement === 'CREATE_TABLE_AS_SELECT') return `tables/${id}`
  if (substatement === 'INSERT' || substatement === 'UNLOAD') return id
  return `${id}.${type === 'DML' ? 'csv' : 'txt'}`
}

/**
 * The work group's location when it is enforced or the query has none; else the query's. Undefined where the work group
 * manages results itself.
 */
function placeOfResults(
  group: WorkGroup,
  configuration: InputMembers | undefined,
): StorageLocation | undefined {
  configuration?.refuse(['EncryptionConfiguration', 'AclConfiguration'], unsupportedMember)
  const asked = configuration?.optionalString('OutputLocation')
  if (group.managedResults === true) {
    if (configuration === undefined) return undefined
    throw invalidRequest(
      `ResultConfiguration cannot be given: WorkGroup ${group.name} has managed query results.`,
    )
  }
  const enforced = group.enforced ? group.outputLocation : undefined
  const location = enforced ?? asked ?? group.outputLocation
  if (location === undefined || location === '') {
    throw invalidRequest(
      'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
    )
  }
  const parsed = parseLocation(location)
  if (parsed === undefined) throw invalidRequest(`outputLocation is not a valid S3 path: ${location}`)
  return parsed
}
