import { type Durability, withoutFsync } from '../durability.ts'
import type { Catalog } from '../glue/catalog.ts'
import { InputMembers } from '../glue/input-members.ts'
import { type JsonService, ServiceError } from '../http/json-service.ts'
import type { ObjectStorage } from '../object-storage.ts'
import type { QueryEngine } from '../sql/query-engine.ts'
import { invalidRequest } from './athena-error.ts'
import type { AthenaOperations } from './athena-operations.ts'
import { catalogOperations } from './metadata-operations.ts'
import { NamedQueries, namedQueryOperations } from './named-queries.ts'
import { PreparedStatements, preparedStatementOperations } from './prepared-statements.ts'
import { QueryHistory } from './query-history.ts'
import { queryOperations } from './query-operations.ts'
import { QueryRunner } from './query-runner.ts'
import { ResultFiles } from './result-files.ts'
import { resultOperations } from './result-operations.ts'
import { statementRunner } from './statement-runner.ts'
import { Tags, tagOperations } from './tags.ts'
import { workGroupOperations } from './work-group-operations.ts'
import { WorkGroups } from './work-groups.ts'

export interface AthenaServiceOptions {
  /** Where work groups and the query history are kept. */
  readonly dataDirectory: string
  readonly storage: ObjectStorage
  readonly catalog: Catalog
  /** Runs SELECTs; a function is called at the first of them. The service closes the engine it was given. */
  readonly queryEngine: QueryEngine | (() => Promise<QueryEngine>)
  /** What an answer waits for. Default: nothing beyond the operating system. */
  readonly durability?: Durability
  /** Queries that run at a time, the others being QUEUED; default 20. */
  readonly concurrency?: number
  /** How long a statement may run before it fails, in milliseconds; default 30 minutes, as Athena's quota for DML. */
  readonly timeoutMillis?: number
}

/**
 * The embedded Athena: query states, paging and result files of the real one.
 * Operations the local stack does not have answer an `UnsupportedOperationException` that names them.
 */
export async function createAthenaService(options: AthenaServiceOptions): Promise<JsonService> {
  const { catalog, dataDirectory, storage, durability = withoutFsync } = options
  const history = new QueryHistory(dataDirectory, durability)
  const workGroups = new WorkGroups(dataDirectory, durability)
  const preparedStatements = new PreparedStatements(dataDirectory, durability)
  const namedQueries = new NamedQueries(dataDirectory, durability)
  const tags = new Tags(dataDirectory, durability)
  const resultFiles = new ResultFiles(storage, dataDirectory, durability)
  const engine = lazyEngine(options.queryEngine)
  const runner = new QueryRunner({
    history,
    resultFiles,
    runStatement: statementRunner({
      catalog,
      storage,
      queryEngine: engine.get,
      preparedStatements,
      workGroups,
    }),
    concurrency: options.concurrency ?? 20,
    timeoutMillis: options.timeoutMillis ?? 30 * 60_000,
    bytesScannedCutoff: (name) => workGroups.find(name)?.bytesScannedCutoff,
  })
  const operations: AthenaOperations = {
    ...queryOperations({
      history,
      runner,
      storage,
      resultFiles,
      workGroups,
      queryEngine: engine.get,
    }),
    ...resultOperations(history, resultFiles),
    ...workGroupOperations(workGroups, { history, preparedStatements, namedQueries, tags }),
    ...preparedStatementOperations(preparedStatements, workGroups),
    ...namedQueryOperations(namedQueries, workGroups),
    ...tagOperations(tags, workGroups),
    ...catalogOperations(catalog),
  }
  return {
    signingName: 'athena',
    async handle(operation, input) {
      const answer = Object.hasOwn(operations, operation) ? operations[operation] : undefined
      if (answer === undefined) {
        throw new ServiceError(
          'UnsupportedOperationException',
          `athena:${operation} is not supported: the local stack does not have it.`,
        )
      }
      try {
        return await answer(new InputMembers(input, 'InvalidRequestException'))
      } catch (error) {
        throw withErrorCode(error)
      }
    },
    async close() {
      await runner.close()
      await engine.close()
      history.close()
      for (const store of [workGroups, preparedStatements, namedQueries, tags]) store.close()
    },
  }
}

/** Every InvalidRequestException has a code, that of the constraints of the model among them. */
function withErrorCode(error: unknown): unknown {
  const lacksCode =
    error instanceof ServiceError &&
    error.name === 'InvalidRequestException' &&
    error.members['AthenaErrorCode'] === undefined
  return lacksCode ? invalidRequest(error.message) : error
}

function lazyEngine(given: AthenaServiceOptions['queryEngine']) {
  let opened: Promise<QueryEngine> | undefined
  const get = (): Promise<QueryEngine> => {
    if (opened === undefined) {
      opened = typeof given === 'function' ? given() : Promise.resolve(given)
      // A failed opening is tried again by the next query.
      opened.catch(() => {
        opened = undefined
      })
    }
    return opened
  }
  return {
    get,
    async close(): Promise<void> {
      if (typeof given !== 'function') await given.close()
      else {
        await opened?.then(
          (engine) => engine.close(),
          () => undefined,
        )
      }
    },
  }
}
