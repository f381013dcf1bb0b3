import { QueryError } from './query-engine.ts'
import type { Position } from './syntax-tree.ts'

function at(position: Position | undefined): string {
  return position === undefined ? '' : `line ${position.line}:${position.column}: `
}

/** An error of Trino's, at the place in the statement where Trino reports it. */
export function failure(errorName: string, message: string, position?: Position): QueryError {
  return new QueryError(errorName, `${errorName}: ${at(position)}${message}`)
}

/** The refusal of something Trino answers and this engine does not; `what` is a noun phrase. */
export function notSupported(what: string, position?: Position): QueryError {
  return failure('NOT_SUPPORTED', `The embedded Athena does not support ${what}`, position)
}

/** The refusal of operand types that Trino refuses too. */
export function typeMismatch(message: string, position?: Position): QueryError {
  return failure('TYPE_MISMATCH', message, position)
}
