import { type RegisteredSchema, type SchemaRegistry, StockpipeError } from '@stockpipe/core'
import { type RetryContext, retry } from './retry.ts'

/** How long the registry's answer that it has no such schema counts. */
const unknownMillis = 30_000
/** Ids of which that is remembered. */
const mostUnknown = 10_000
/** Ids asked for at once. */
const mostAtOnce = 8

/** The schemas of a registry: each is asked for once, whoever needs it, until there is an answer. */
export class SchemaLookup {
  readonly #registry: SchemaRegistry
  readonly #context: RetryContext
  readonly #schemas = new Map<string, RegisteredSchema>()
  /** When the registry said that it has none, by `Runtime.monotonic()`. */
  readonly #unknown = new Map<string, number>()
  readonly #asked = new Map<string, Promise<RegisteredSchema | null>>()
  readonly #closed = new AbortController()

  constructor(registry: SchemaRegistry, context: RetryContext) {
    this.#registry = registry
    this.#context = context
  }

  /**
   * What the registry has of these ids. An outage is waited out without end; rejects with what the registry throws as
   * not `retryable`, or with the signal's reason.
   */
  async schemasOf(
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (readonly [id: string, schema: RegisteredSchema | null])[]> {
    const answers: (readonly [string, RegisteredSchema | null])[] = []
    for (let from = 0; from < ids.length; from += mostAtOnce) {
      const some = ids.slice(from, from + mostAtOnce)
      const schemas = await ended(Promise.all(some.map((id) => this.#schemaOf(id))), signal)
      some.forEach((id, index) => void answers.push([id, schemas[index]!]))
    }
    return answers
  }

  /** Gives up what is asked. */
  close(): void {
    this.#closed.abort(new StockpipeError({ code: 'SINK_CLOSED', message: 'The sink is closed.' }))
  }

  async #schemaOf(id: string): Promise<RegisteredSchema | null> {
    const known = this.#schemas.get(id)
    if (known) return known
    const since = this.#unknown.get(id)
    if (since !== undefined && this.#context.runtime.monotonic() - since < unknownMillis) return null
    const asked = this.#asked.get(id) ?? this.#ask(id).finally(() => this.#asked.delete(id))
    this.#asked.set(id, asked)
    return asked
  }

  async #ask(id: string): Promise<RegisteredSchema | null> {
    const { signal } = this.#closed
    const schema = await retry(
      this.#context,
      { signal, what: `asking the registry for schema ${id}` },
      async () => {
        try {
          return await this.#registry.schemaOf(id, { signal })
        } catch (error) {
          if (StockpipeError.isInstance(error)) throw error
          throw new StockpipeError({
            code: 'SCHEMA_REGISTRY_UNAVAILABLE',
            message: `The schema registry did not answer for schema ${id}: ${error instanceof Error ? error.message : String(error)}.`,
            retryable: true,
            cause: error,
          })
        }
      },
    )
    if (schema) {
      this.#unknown.delete(id)
      this.#schemas.set(id, schema)
    } else {
      if (this.#unknown.size >= mostUnknown) this.#unknown.clear()
      this.#unknown.set(id, this.#context.runtime.monotonic())
    }
    return schema
  }
}

/** As `promise`, or rejected with the signal's reason once it aborts. */
const ended = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  promise.catch(() => {})
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
