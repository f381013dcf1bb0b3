import { QueryError } from './query-engine.ts'
import { failure, notSupported } from './query-failure.ts'

const integerNames: Readonly<Record<string, string>> = {
  INT8: 'tinyint',
  INT16: 'smallint',
  INT32: 'integer',
  INT64: 'bigint',
}

/** How a native function's error travels through DuckDB's text. */
export function encodeFailure(errorName: string, message: string): string {
  return `[[${errorName}]] ${message}`
}

/** What a DuckDB error means in Trino's words. */
export function queryErrorFrom(error: unknown): QueryError {
  if (error instanceof QueryError) return error
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof RangeError && /call stack/.test(text))
    return failure('STACK_OVERFLOW', 'statement is too large (stack overflow during analysis)')
  if (/^Parser Error: (?:Max expression depth|memory exhausted)/.test(text))
    return notSupported('statements as deep as this one')
  const native = /\[\[([A-Z_]+)\]\] ([^\n]*)/.exec(text)
  if (native !== null) return failure(native[1]!, native[2]!)
  const overflow = /Overflow in (addition|subtraction|multiplication) of (INT\d+) \((.*)\)!/.exec(text)
  if (overflow !== null) {
    return failure(
      'NUMERIC_VALUE_OUT_OF_RANGE',
      `${integerNames[overflow[2]!] ?? overflow[2]} ${overflow[1]} overflow: ${overflow[3]}`,
    )
  }
  const range =
    /with value (\S+) can't be cast because the value is out of range for the destination type (\w+)/.exec(
      text,
    )
  if (range !== null) {
    return failure(
      'NUMERIC_VALUE_OUT_OF_RANGE',
      `Out of range for ${integerNames[range[2]!] ?? range[2]!.toLowerCase()}: ${range[1]}`,
    )
  }
  const line = text.split('\n')[0]!
  if (/^Out of Memory Error/.test(text)) {
    return failure(
      'EXCEEDED_GLOBAL_MEMORY_LIMIT',
      `Query exceeded the memory limit of the embedded Athena: ${line}`,
    )
  }
  if (/More than one row returned by a subquery/.test(text)) {
    return failure('SUBQUERY_MULTIPLE_ROWS', 'Scalar sub-query has returned multiple rows')
  }
  if (/^Out of Range Error/.test(text))
    return failure('NUMERIC_VALUE_OUT_OF_RANGE', line.replace(/^[^:]*: /, ''))
  if (/^Conversion Error/.test(text)) {
    const decimal = /Could not cast value .* to DECIMAL|DECIMAL.*out of range/.test(text)
    return failure(
      decimal ? 'NUMERIC_VALUE_OUT_OF_RANGE' : 'INVALID_CAST_ARGUMENT',
      line.replace(/^[^:]*: /, ''),
    )
  }
  if (/^(Binder|Catalog|Not implemented) Error/i.test(text)) {
    return failure('NOT_SUPPORTED', `The embedded Athena cannot plan this statement: ${line}`)
  }
  if (/^(IO|Invalid Input) Error/.test(text))
    return failure('HIVE_CURSOR_ERROR', line.replace(/^[^:]*: /, ''))
  return new QueryError('GENERIC_INTERNAL_ERROR', `GENERIC_INTERNAL_ERROR: ${line}`, {
    category: 1,
    cause: error,
  })
}
