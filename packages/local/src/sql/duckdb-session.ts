import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { encodeFailure } from './duckdb-errors.ts'
import { DuckDbValues } from './duckdb-values.ts'
import type { NativeFunction } from './native-function.ts'
import { eachRow } from './time-limit.ts'
import { quoteString } from './typed-expression.ts'
import { type PlainValue, plainValue } from './value-text.ts'

type DuckDb = typeof import('@duckdb/node-api')

/** DuckDB does not count what texts of a chunk of rows take. */
const maximumChunkLength = 128 * 1024 * 1024

/** A DuckDB in memory that reaches nothing but the allowed directories, with this engine's functions. */
export class DuckDbSession {
  readonly #duckDb: DuckDb
  readonly #instance: DuckDBInstance
  readonly #values: DuckDbValues
  readonly #registered = new Set<string>()
  /** Refusals raised inside functions; TRY() must not turn them into NULL. */
  #refusals = 0
  /** Where statements that write put their files, until somebody has taken them. */
  readonly writeDirectory: string

  private constructor(duckDb: DuckDb, instance: DuckDBInstance, writeDirectory: string) {
    this.#duckDb = duckDb
    this.#instance = instance
    this.#values = new DuckDbValues(duckDb)
    this.writeDirectory = writeDirectory
  }

  static async open(options: {
    dataDirectory: string
    memoryLimit: string
    allowedDirectories: readonly string[]
  }): Promise<DuckDbSession> {
    const duckDb = await import('@duckdb/node-api')
    const spillDirectory = join(options.dataDirectory, 'athena-spill')
    const writeDirectory = join(spillDirectory, 'written')
    // What a killed process has left.
    await rm(writeDirectory, { recursive: true, force: true })
    await mkdir(writeDirectory, { recursive: true })
    const instance = await duckDb.DuckDBInstance.create(':memory:', {
      // One thread: the order of rows within a group, and so of sums of doubles, stays.
      threads: '1',
      memory_limit: options.memoryLimit,
      temp_directory: spillDirectory,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
    const connection = await instance.connect()
    const allowedDirectories = [...options.allowedDirectories, writeDirectory]
    const directories = allowedDirectories.map((directory) => quoteString(directory)).join(', ')
    for (const setting of [
      `TimeZone = 'UTC'`,
      'ieee_floating_point_ops = true',
      'integer_division = false',
      'preserve_insertion_order = true',
      // The first removes errors: size + 9223372036854775807 <= 1 would answer instead of overflow. The other makes
      // errors: what COALESCE might not evaluate is computed beforehand where it comes twice.
      `disabled_optimizers = 'expression_rewriter,common_subexpressions'`,
      `allowed_directories = [${directories}]`,
      'enable_external_access = false',
      'lock_configuration = true',
    ]) {
      await connection.run(`SET GLOBAL ${setting}`)
    }
    connection.closeSync()
    return new DuckDbSession(duckDb, instance, writeDirectory)
  }

  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect()
  }

  close(): void {
    this.#instance.closeSync()
  }

  get refusals(): number {
    return this.#refusals
  }

  /** Makes functions known to all connections, each once. */
  register(connection: DuckDBConnection, functions: ReadonlyMap<string, NativeFunction>): void {
    for (const [name, definition] of functions) {
      if (this.#registered.has(name)) continue
      this.#registerOne(connection, name, definition)
      this.#registered.add(name)
    }
  }

  #registerOne(connection: DuckDBConnection, name: string, definition: NativeFunction): void {
    const evaluate = definition.evaluate as (...values: readonly PlainValue[]) => PlainValue
    const { acceptsNull = false } = definition
    const wrap = this.#values.wrapper(definition.returns)
    const scalar = this.#duckDb.DuckDBScalarFunction.create({
      name,
      // The last one is there for the planner.
      parameterTypes: [...definition.parameters, 'BOOLEAN'].map((type) => this.#values.type(type)),
      returnType: this.#values.type(definition.returns),
      specialHandling: acceptsNull,
      mainFunction: (info, chunk, output) => {
        try {
          const columns = definition.parameters.map((_, i) => chunk.getColumnVector(i))
          let length = 0
          eachRow(chunk.rowCount, definition, (row) => {
            const values = columns.map((column) => plainValue(column.getItem(row)))
            const isNull = !acceptsNull && values.includes(null)
            const result = isNull ? null : evaluate(...values)
            if (typeof result === 'string') length += result.length
            if (length > maximumChunkLength)
              throw new FunctionFailure(
                'NOT_SUPPORTED',
                'The embedded Athena does not support texts this long',
              )
            output.setItem(row, wrap(result) as never)
          })
          output.flush()
        } catch (error) {
          const known = error instanceof FunctionFailure
          if (!known || error.errorName === 'NOT_SUPPORTED') this.#refusals += 1
          info.setError(
            encodeFailure(
              known ? error.errorName : 'GENERIC_INTERNAL_ERROR',
              String(known ? error.message : error),
            ),
          )
        }
      },
    })
    connection.registerScalarFunction(scalar)
  }
}
