import {
  ConfigurationError,
  type RegisteredSchema,
  type Runtime,
  type SchemaRegistry,
  StockpipeError,
  systemRuntime,
} from '@stockpipe/core'

export interface ConfluentRegistryOptions {
  /** Its address, such as `https://registry.example.com`; a path is kept. */
  readonly url: string
  /** For basic authentication; API key and secret in Confluent Cloud. */
  readonly username?: string
  readonly password?: string
  /** Sent with each request, such as a bearer token of your own. */
  readonly headers?: Readonly<Record<string, string>>
  /** How long one request may take. Default 10,000. */
  readonly requestTimeoutMillis?: number
  readonly runtime?: Runtime
}

/** What the registry says of a schema that it does not have. */
const schemaNotFound = 40_403

interface SchemaReference {
  readonly subject: string
  readonly version: number
}

interface SchemaAnswer {
  readonly schema: string
  readonly references?: readonly SchemaReference[] | null
}

class ConfluentRegistry implements SchemaRegistry {
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #timeoutMillis: number
  readonly #runtime: Runtime

  constructor(options: ConfluentRegistryOptions) {
    const {
      username,
      password = '',
      headers,
      requestTimeoutMillis = 10_000,
      runtime = systemRuntime,
    } = options
    this.#base = baseOf(options.url)
    if (!(requestTimeoutMillis > 0)) {
      throw invalid(`requestTimeoutMillis is a number above 0, not ${requestTimeoutMillis}.`)
    }
    const credentials = Buffer.from(`${username}:${password}`).toString('base64')
    this.#headers = {
      accept: 'application/vnd.schemaregistry.v1+json, application/json',
      ...(username === undefined ? {} : { authorization: `Basic ${credentials}` }),
      ...headers,
    }
    this.#timeoutMillis = requestTimeoutMillis
    this.#runtime = runtime
  }

  async schemaOf(
    id: string,
    { signal }: { readonly signal?: AbortSignal },
  ): Promise<RegisteredSchema | null> {
    const what = `schema ${id}`
    const answer = await this.#get(`/schemas/ids/${encodeURIComponent(id)}`, what, signal)
    if (answer === null) return null
    const references: string[] = []
    await this.#addReferences(answer, references, new Set(), what, signal)
    return { schema: answer.schema, ...(references.length === 0 ? {} : { references }) }
  }

  /** Adds the texts that a schema refers to, each after those it refers to itself. */
  async #addReferences(
    { references }: SchemaAnswer,
    texts: string[],
    seen: Set<string>,
    what: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (const { subject, version } of references ?? []) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}?deleted=true`
      if (seen.has(path)) continue
      seen.add(path)
      const answer = await this.#get(path, `${what}'s reference to version ${version} of ${subject}`, signal)
      if (answer === null) {
        throw this.#failure(
          what,
          `it refers to version ${version} of ${subject}, which the registry does not have`,
        )
      }
      await this.#addReferences(answer, texts, seen, what, signal)
      texts.push(answer.schema)
    }
  }

  async #get(path: string, what: string, signal: AbortSignal | undefined): Promise<SchemaAnswer | null> {
    const late = new AbortController()
    const abort = () => late.abort(signal?.reason)
    signal?.throwIfAborted()
    signal?.addEventListener('abort', abort, { once: true })
    const timer = this.#runtime.setTimer(
      () => late.abort(new Error(`no answer within ${this.#timeoutMillis} ms`)),
      this.#timeoutMillis,
      { keepAlive: true },
    )
    let status: number
    let body: unknown
    try {
      const response = await fetch(this.#base + path, { headers: this.#headers, signal: late.signal })
      status = response.status
      const text = await response.text()
      body = jsonOf(text)
    } catch (error) {
      signal?.throwIfAborted()
      throw this.#failure(what, reasonOf(error), { retryable: true, cause: error })
    } finally {
      timer.cancel()
      signal?.removeEventListener('abort', abort)
    }
    if (status === 200 && isSchemaAnswer(body)) return body
    const { error_code: code, message } = (body ?? {}) as { error_code?: unknown; message?: unknown }
    if (status === 404 && (code === schemaNotFound || code === 40_401 || code === 40_402)) return null
    const said = typeof message === 'string' ? `: ${message.slice(0, 200)}` : ''
    if (status === 401 || status === 403) {
      throw this.#failure(what, `it answers ${status}${said}; check user name and password, and their rights`)
    }
    if (status === 200) throw this.#failure(what, 'what answers is no schema registry; check the url')
    const retryable = status >= 500 || status === 408 || status === 429
    throw this.#failure(what, `it answers ${status}${said}`, { retryable })
  }

  #failure(
    what: string,
    reason: string,
    { retryable = false, cause }: { readonly retryable?: boolean; readonly cause?: unknown } = {},
  ): StockpipeError {
    return new StockpipeError({
      code: retryable ? 'SCHEMA_REGISTRY_UNAVAILABLE' : 'SCHEMA_REGISTRY_REFUSED',
      message: `The schema registry at ${this.#base} did not give ${what}: ${reason}.`,
      retryable,
      cause,
    })
  }
}

const isSchemaAnswer = (body: unknown): body is SchemaAnswer => {
  if (typeof body !== 'object' || body === null) return false
  const { schema, references } = body as { schema?: unknown; references?: unknown }
  return (
    typeof schema === 'string' &&
    (references === undefined || references === null || Array.isArray(references))
  )
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** fetch says what failed in the cause of its error. */
const reasonOf = (error: unknown): string => {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } }
  return cause?.message || cause?.code || message || String(error)
}

const invalid = (message: string): ConfigurationError =>
  new ConfigurationError({ code: 'SCHEMA_REGISTRY_INVALID', message: `createConfluentRegistry: ${message}` })

const baseOf = (url: string): string => {
  if (!URL.canParse(url)) throw invalid('`url` is no address.')
  const { protocol, username, password, search, hash, origin, pathname } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') throw invalid('`url` begins with http:// or https://.')
  if (username !== '' || password !== '') {
    throw invalid('`url` holds a user name or password; give them as `username` and `password`.')
  }
  if (search !== '' || hash !== '')
    throw invalid('`url` has a query or a fragment, which requests cannot keep.')
  return origin + pathname.replace(/\/+$/, '')
}

/**
 * The schemas of a Confluent Schema Registry, or of one that answers as it does (Karapace, Redpanda, Apicurio's
 * compatible address), with the schemas they refer to.
 *
 * Calls throw a `StockpipeError`: `SCHEMA_REGISTRY_UNAVAILABLE` (retryable) while it does not answer or fails itself,
 * `SCHEMA_REGISTRY_REFUSED` when it lets nobody in or is none.
 *
 * Throws a `ConfigurationError` for an address that is none, or that holds a password.
 */
export const createConfluentRegistry = (options: ConfluentRegistryOptions): SchemaRegistry =>
  new ConfluentRegistry(options)
