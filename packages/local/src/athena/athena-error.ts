import { ServiceError } from '../http/json-service.ts'
import { QueryError } from '../sql/query-engine.ts'

/** Why a query failed, as `Status.AthenaError` carries it. */
export interface AthenaError {
  /** 1 system, 2 user, 3 other. */
  readonly ErrorCategory: 1 | 2 | 3
  readonly ErrorType: number
  readonly Retryable: boolean
  readonly ErrorMessage: string
}

export function invalidRequest(message: string, athenaErrorCode = 'INVALID_INPUT'): ServiceError {
  return new ServiceError('InvalidRequestException', message, {
    members: { AthenaErrorCode: athenaErrorCode },
  })
}

/** The failure of a statement in Athena's shape; what is not a `QueryError` is the stack's own fault. */
export function athenaErrorOf(error: unknown): AthenaError {
  if (error instanceof QueryError) {
    const { category, errorName, message } = error
    const text =
      message.startsWith(errorName) || message.startsWith('FAILED:') ? message : `${errorName}: ${message}`
    return { ErrorCategory: category, ErrorType: errorTypeOf(error), Retryable: false, ErrorMessage: text }
  }
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof ServiceError) {
    return { ErrorCategory: 2, ErrorType: 1000, Retryable: false, ErrorMessage: `${error.name}: ${message}` }
  }
  const ErrorMessage = `GENERIC_INTERNAL_ERROR: ${message}`
  return { ErrorCategory: 1, ErrorType: 200, Retryable: false, ErrorMessage }
}

/** Numbers of Athena's error catalog, by Trino's error name. */
const errorTypes: Readonly<Record<string, number>> = {
  SYNTAX_ERROR: 1006,
  NOT_SUPPORTED: 1200,
  TABLE_NOT_FOUND: 1110,
  SCHEMA_NOT_FOUND: 1301,
  FUNCTION_NOT_FOUND: 1303,
  INVALID_FUNCTION_ARGUMENT: 1106,
  INVALID_TABLE_PROPERTY: 1103,
  HIVE_PARTITION_SCHEMA_MISMATCH: 1004,
  HIVE_BAD_DATA: 1001,
  HIVE_CURSOR_ERROR: 1001,
  HIVE_METASTORE_ERROR: 204,
  EXCEEDED_TIME_LIMIT: 206,
  EXCEEDED_LOCAL_MEMORY_LIMIT: 0,
  FAILED: 1003,
}

function errorTypeOf(error: QueryError): number {
  return errorTypes[error.errorName] ?? (error.category === 1 ? 200 : 1000)
}
