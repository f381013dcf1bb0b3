import { setTimeout as delay } from 'node:timers/promises'
import { ConfigurationError, untilAborted } from '@stockpipe/core'
import {
  type QueryDescription,
  type QueryEngine,
  QueryError,
  type RunQueryOptions,
  type StatementAnswer,
  type WrittenQuery,
} from '../sql/query-engine.ts'
import { notSupported } from '../sql/query-failure.ts'
import { trinoErrorOf } from './trino-error.ts'
import { listOf, objectOf, parseTrinoJson, type TrinoJson, type TrinoObject, textOf } from './trino-json.ts'
import { signatureOf, type TrinoSignature, trinoValueText } from './trino-value-text.ts'

/** Where a Trino is, and what its Hive catalog is called. */
export interface TrinoAddress {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string
  /** Its catalog over the Glue and S3 of the local stack. */
  readonly catalog: string
  readonly user: string
}

/** How long a Trino that answers 502, 503, 504 or 429 is asked again, in milliseconds. */
const busyMillis = 60_000
const busyWaitMillis = 75
/** How long Trino is waited for when a statement is cancelled. */
const cancelMillis = 2_000
const busyStatuses = new Set([429, 502, 503, 504])

/**
 * Reads `http://host:port`, where a user may stand before the host and the catalog behind the port; the catalog is `awsdatacatalog`
 * and the user `athena` by default.
 *
 * @throws ConfigurationError `INVALID_TRINO_URL`
 */
export function trinoAddress(url: string): TrinoAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const path = parsed?.pathname.replace(/^\/|\/$/g, '') ?? ''
  const isKnown = parsed?.protocol === 'http:' || parsed?.protocol === 'https:'
  if (
    parsed === undefined ||
    !isKnown ||
    path.includes('/') ||
    parsed.password !== '' ||
    parsed.search !== ''
  ) {
    throw new ConfigurationError({
      code: 'INVALID_TRINO_URL',
      message: `The Trino to pass queries to must be http://host:port, or http://user@host:port/catalog, without a password.`,
      facts: {},
    })
  }
  return {
    origin: parsed.origin,
    catalog: path === '' ? 'awsdatacatalog' : decodeURIComponent(path),
    user: parsed.username === '' ? 'athena' : decodeURIComponent(parsed.username),
  }
}

/** A statement for Trino, which finds tables by itself. */
type TrinoStatement = Omit<RunQueryOptions, 'resolver'>

/** Passes statements to a Trino over its REST protocol, and answers values as Athena writes them. */
export class TrinoEngine implements QueryEngine {
  readonly #address: TrinoAddress
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()

  constructor(address: TrinoAddress) {
    this.#address = address
  }

  /**
   * Runs one statement. Throws `QueryError` for what Trino refuses, or when it cannot be reached; where `signal` is aborted
   * its reason, after Trino was told to cancel.
   */
  run(options: TrinoStatement): Promise<StatementAnswer> {
    return untilAborted([this.#closing.signal, options.signal], async (signal) => {
      signal.throwIfAborted()
      const running = this.#run(options, signal)
      this.#running.add(running)
      try {
        return await running
      } finally {
        this.#running.delete(running)
      }
    })
  }

  runStatement(options: TrinoStatement): Promise<StatementAnswer> {
    return this.run(options)
  }

  async describe(): Promise<QueryDescription> {
    throw notSupported('statements that are described, not run, where queries are passed to Trino')
  }

  /** Of UNLOAD alone, which Trino does not have. */
  async write(): Promise<WrittenQuery> {
    throw notSupported('UNLOAD where queries are passed to Trino')
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('The query engine is closed'))
    await Promise.allSettled(this.#running)
  }

  async #run(options: TrinoStatement, signal: AbortSignal): Promise<StatementAnswer> {
    const answer = new TrinoAnswer()
    let next: string | undefined
    // Only the answer to a statement tells how to cancel it, so that it is waited for a while.
    const patience = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const lose = (): void => {
      timer = setTimeout(() => patience.abort(signal.reason), cancelMillis)
    }
    signal.addEventListener('abort', lose)
    try {
      let page = await this.#call('/v1/statement', signal, {
        method: 'POST',
        body: statementOf(options),
        headers: this.#headers(options.database),
        signal: patience.signal,
      })
      for (;;) {
        next = textOf(page['#nextUri'])
        signal.throwIfAborted()
        if (page['#error'] !== undefined) throw trinoErrorOf(page['#error'], this.#address.catalog)
        answer.add(page)
        if (next === undefined) return answer.result()
        page = await this.#call(next, signal)
      }
    } catch (error) {
      if (next !== undefined) await this.#cancel(next)
      signal.throwIfAborted()
      throw error
    } finally {
      signal.removeEventListener('abort', lose)
      clearTimeout(timer)
    }
  }

  #headers(database: string): Record<string, string> {
    return {
      'X-Trino-User': this.#address.user,
      'X-Trino-Source': 'stockpipe',
      'X-Trino-Catalog': this.#address.catalog,
      'X-Trino-Schema': encodeURIComponent(database),
      'X-Trino-Time-Zone': 'UTC',
      // Else the precision of times is hidden.
      'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME',
      'Content-Type': 'text/plain; charset=utf-8',
    }
  }

  /** One exchange, asked again while Trino is busy, as its protocol has it. */
  async #call(url: string, signal: AbortSignal, request: RequestInit = {}): Promise<TrinoObject> {
    const untilMillis = Date.now() + busyMillis
    for (;;) {
      const { status, body } = await this.#fetch(url, { signal, ...request })
      if (status === 200) return this.#parsed(body)
      if (!busyStatuses.has(status) || Date.now() > untilMillis) {
        throw this.#failure(`answered with status ${status}: ${body.slice(0, 500)}`)
      }
      await delay(busyWaitMillis, undefined, { signal })
    }
  }

  async #fetch(url: string, request: RequestInit): Promise<{ status: number; body: string }> {
    try {
      const response = await fetch(new URL(url, this.#address.origin), request)
      return { status: response.status, body: await response.text() }
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
      throw this.#failure(
        `cannot be reached (${code ?? String(error)}). Start it, or leave out --athena-engine`,
        error,
      )
    }
  }

  #parsed(body: string): TrinoObject {
    let value: TrinoJson
    try {
      value = parseTrinoJson(body)
    } catch (error) {
      throw this.#failure('answered with what is no JSON', error)
    }
    return objectOf(value)
  }

  #failure(what: string, cause?: unknown): QueryError {
    const message = `GENERIC_INTERNAL_ERROR: The Trino at ${this.#address.origin} ${what}.`
    return new QueryError('GENERIC_INTERNAL_ERROR', message, { category: 1, cause })
  }

  /** Tells Trino that nobody waits for a statement any more. */
  async #cancel(next: string): Promise<void> {
    const signal = AbortSignal.timeout(cancelMillis)
    await this.#fetch(next, { method: 'DELETE', signal }).catch(() => undefined)
  }
}

/** With parameters, which are SQL text, a statement is executed by EXECUTE IMMEDIATE. */
function statementOf({ sql, parameters = [] }: TrinoStatement): string {
  if (parameters.length === 0) return sql
  return `EXECUTE IMMEDIATE '${sql.replaceAll("'", "''")}' USING ${parameters.join(', ')}`
}

/** Puts the pages of an answer together. */
class TrinoAnswer {
  readonly #rows: (readonly (string | null)[])[] = []
  #columns: readonly { readonly name: string; readonly type: string; readonly signature: TrinoSignature }[] =
    []
  #last: TrinoObject = {}

  add(page: TrinoObject): void {
    if (page['#columns'] !== undefined && this.#columns.length === 0) {
      this.#columns = listOf(page['#columns']).map((value) => {
        const column = objectOf(value)
        return {
          name: textOf(column['#name']) ?? '',
          type: textOf(column['#type']) ?? 'unknown',
          signature: signatureOf(column['#typeSignature']),
        }
      })
    }
    for (const row of listOf(page['#data'])) {
      const values = listOf(row)
      this.#rows.push(this.#columns.map(({ signature }, at) => trinoValueText(values[at] ?? null, signature)))
    }
    this.#last = page
  }

  result(): StatementAnswer {
    const stats = objectOf(this.#last['#stats'])
    const scanned = Number(textOf(stats['#physicalInputBytes']) ?? textOf(stats['#processedBytes']) ?? 0)
    const updateCount = textOf(this.#last['#updateCount'])
    return {
      columns: this.#columns.map(({ name, type }) => ({ name, type })),
      rows: this.#rows,
      scannedBytes: scanned,
      ...(updateCount === undefined ? {} : { writtenRows: Number(updateCount) }),
    }
  }
}
