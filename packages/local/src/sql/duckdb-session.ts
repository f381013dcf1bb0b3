import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance, DuckDBType } from '@duckdb/node-api'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { encodeFailure } from './duckdb-errors.ts'
import type { NativeFunction } from './native-function.ts'
import { quoteString } from './typed-expression.ts'
import { type PlainValue, plainValue } from './value-text.ts'

type DuckDb = typeof import('@duckdb/node-api')

/** A DuckDB in memory that reaches nothing but the allowed directories, with this engine's functions. */
export class DuckDbSession {
  readonly #duckDb: DuckDb
  readonly #instance: DuckDBInstance
  readonly #registered = new Set<string>()
  /** Refusals raised inside functions; TRY() must not turn them into NULL. */
  #refusals = 0

  private constructor(duckDb: DuckDb, instance: DuckDBInstance) {
    this.#duckDb = duckDb
    this.#instance = instance
  }

  static async open(options: {
    dataDirectory: string
    memoryLimit: string
    allowedDirectories: readonly string[]
  }): Promise<DuckDbSession> {
    const duckDb = await import('@duckdb/node-api')
    const spillDirectory = join(options.dataDirectory, 'athena-spill')
    await mkdir(spillDirectory, { recursive: true })
    const instance = await duckDb.DuckDBInstance.create(':memory:', {
      // One thread: the order of rows within a group, and so of sums of doubles, stays.
      threads: '1',
      memory_limit: options.memoryLimit,
      temp_directory: spillDirectory,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
    const connection = await instance.connect()
    const directories = options.allowedDirectories.map((directory) => quoteString(directory)).join(', ')
    for (const setting of [
      `TimeZone = 'UTC'`,
      'ieee_floating_point_ops = true',
      'integer_division = false',
      'preserve_insertion_order = true',
      // It removes errors: size + 9223372036854775807 <= 1 would answer instead of overflow.
      `disabled_optimizers = 'expression_rewriter'`,
      `allowed_directories = [${directories}]`,
      'enable_external_access = false',
      'lock_configuration = true',
    ]) {
      await connection.run(`SET GLOBAL ${setting}`)
    }
    connection.closeSync()
    return new DuckDbSession(duckDb, instance)
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
      this.#registered.add(name)
      this.#registerOne(connection, name, definition)
    }
  }

  #registerOne(connection: DuckDBConnection, name: string, definition: NativeFunction): void {
    const evaluate = definition.evaluate as (...values: readonly PlainValue[]) => PlainValue
    const wrap = this.#wrapper(definition.returns)
    const scalar = this.#duckDb.DuckDBScalarFunction.create({
      name,
      parameterTypes: definition.parameters.map((type) => this.#type(type)),
      returnType: this.#type(definition.returns),
      mainFunction: (info, chunk, output) => {
        try {
          const columns = definition.parameters.map((_, i) => chunk.getColumnVector(i))
          for (let row = 0; row < chunk.rowCount; row++) {
            const values = columns.map((column) => plainValue(column.getItem(row)))
            const result = values.includes(null) ? null : evaluate(...values)
            output.setItem(row, (result === null ? null : wrap(result)) as never)
          }
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

  #type(text: string): DuckDBType {
    const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(text)
    if (decimal !== null) return this.#duckDb.DECIMAL(Number(decimal[1]), Number(decimal[2]))
    if (text.endsWith('[]')) return this.#duckDb.LIST(this.#type(text.slice(0, -2)))
    const types: Readonly<Record<string, DuckDBType>> = {
      BOOLEAN: this.#duckDb.BOOLEAN,
      TINYINT: this.#duckDb.TINYINT,
      SMALLINT: this.#duckDb.SMALLINT,
      INTEGER: this.#duckDb.INTEGER,
      BIGINT: this.#duckDb.BIGINT,
      FLOAT: this.#duckDb.FLOAT,
      DOUBLE: this.#duckDb.DOUBLE,
      VARCHAR: this.#duckDb.VARCHAR,
      BLOB: this.#duckDb.BLOB,
      DATE: this.#duckDb.DATE,
      TIME: this.#duckDb.TIME,
      TIMESTAMP: this.#duckDb.TIMESTAMP,
    }
    const type = types[text]
    if (type === undefined) throw new Error(`no DuckDB type is called ${text}`)
    return type
  }

  /** Puts a plain value into what DuckDB's vectors take. */
  #wrapper(type: string): (value: PlainValue) => unknown {
    const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(type)
    const { DuckDBDecimalValue, DuckDBTimestampValue, DuckDBDateValue, DuckDBBlobValue, DuckDBListValue } =
      this.#duckDb
    if (decimal !== null) {
      const [width, scale] = [Number(decimal[1]), Number(decimal[2])]
      return (value) => new DuckDBDecimalValue(value as bigint, width, scale)
    }
    if (type === 'TIMESTAMP') return (value) => new DuckDBTimestampValue(value as bigint)
    if (type === 'DATE') return (value) => new DuckDBDateValue(value as number)
    if (type === 'BLOB') return (value) => new DuckDBBlobValue(value as Uint8Array)
    if (type.endsWith('[]')) {
      const element = this.#wrapper(type.slice(0, -2))
      return (value) =>
        new DuckDBListValue(
          (value as readonly PlainValue[]).map((item) => (item === null ? null : element(item))) as never,
        )
    }
    return (value) => value
  }
}
