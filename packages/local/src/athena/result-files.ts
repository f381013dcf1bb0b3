import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Durability } from '../durability.ts'
import { parseLocation } from '../glue/hive-path.ts'
import type { ObjectStorage } from '../object-storage.ts'
import { QueryError } from '../sql/query-engine.ts'
import type { ColumnInfo } from './column-info.ts'
import type { QueryExecution } from './query-execution.ts'
import { ResultSpool } from './result-spool.ts'

/** How long Athena keeps the results that no bucket holds. */
const managedResultsMillis = 24 * 60 * 60 * 1000

/** Result files: objects of the bucket a query names, or files of the service's own where its work group manages results. */
export class ResultFiles {
  readonly #storage: ObjectStorage
  readonly #directory: string
  readonly #spoolDirectory: string
  readonly #durability: Durability

  constructor(storage: ObjectStorage, dataDirectory: string, durability: Durability) {
    this.#storage = storage
    this.#directory = join(dataDirectory, 'managed-results')
    this.#durability = durability
    durability.makeDirectory(this.#directory)
    this.#spoolDirectory = join(dataDirectory, 'results-in-flight')
    // What a killed process has left.
    rmSync(this.#spoolDirectory, { recursive: true, force: true })
    mkdirSync(this.#spoolDirectory)
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name)
      if (isExpired(path)) rmSync(path, { force: true })
    }
  }

  /** Takes the rows of a query before they are written. */
  spool({ id }: QueryExecution): ResultSpool {
    return new ResultSpool(join(this.#spoolDirectory, `${id}.csv`))
  }

  /** Writes a result, in a bucket with an object beside it that describes the columns. */
  async write(
    execution: QueryExecution,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    contentType: string,
    columns: readonly ColumnInfo[],
  ): Promise<void> {
    if (execution.managedResults === true) {
      const path = this.#managedPath(execution)
      await writeFile(path, body).catch((error: unknown) => {
        rmSync(path, { force: true })
        throw error
      })
      this.#durability.fileChanged(path)
      this.#durability.directoryChanged(this.#directory)
      return
    }
    const location = parseLocation(execution.outputLocation)
    if (location === undefined) throw new Error(`'${execution.outputLocation}' is not an S3 location`)
    const key = location.prefix.slice(0, -1)
    try {
      await this.#storage.writeObject(location.bucket, key, body, { contentType })
      // Amazon's metadata object is binary and undocumented; this one says the same as JSON.
      const metadata = Buffer.from(JSON.stringify({ ColumnInfo: columns }))
      await this.#storage.writeObject(location.bucket, `${key}.metadata`, metadata, {
        contentType: 'application/json',
      })
    } catch (cause) {
      throw new QueryError(
        'PERMISSION_DENIED',
        `The result could not be written to ${execution.outputLocation}: ${cause instanceof Error ? cause.message : cause}`,
        { cause },
      )
    }
  }

  /** The file of a result; undefined when it is gone. */
  async find(execution: QueryExecution): Promise<string | undefined> {
    if (execution.managedResults === true) {
      const path = this.#managedPath(execution)
      return existsSync(path) && !isExpired(path) ? path : undefined
    }
    const location = parseLocation(execution.outputLocation)
    if (location === undefined) return undefined
    return (await this.#storage.findObject(location.bucket, location.prefix.slice(0, -1)))?.filePath
  }

  #managedPath({ outputLocation }: QueryExecution): string {
    return join(this.#directory, basename(outputLocation))
  }
}

const isExpired = (path: string): boolean => Date.now() - statSync(path).mtimeMs > managedResultsMillis
