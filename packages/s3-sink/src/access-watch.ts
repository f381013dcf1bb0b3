import { type Runtime, StockpipeError } from '@stockpipe/core'
import { ObjectStoreError } from './errors.ts'
import { InterceptedStore, type StoreCall, type StoreInterceptor } from './intercepted-store.ts'
import type { SinkLogger } from './logger.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

const warningMillis = 5 * 60_000
const code = 'ACCESS_LAPSED'

/** How S3, Glue and the SDK say that it is the credentials that are refused, or what they are allowed. */
const accessRefusals = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'InvalidToken',
  'InvalidTokenId',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
  'UnrecognizedClientException',
])

export interface AccessWatchOptions {
  readonly runtime: Runtime
  readonly logger: SinkLogger
  readonly sink: string
}

/**
 * Tells access that has lapsed (credentials expired, a permission taken away) from access that never was. Once the sink
 * has published a group of its own, a call that worked before and is refused now is worth waiting for: it fails with a
 * `StockpipeError` `ACCESS_LAPSED` that says `retryable`. Every other refusal is passed on as it is.
 */
export class AccessWatch {
  readonly #options: AccessWatchOptions
  readonly #worked = new Set<string>()
  readonly #refused = new Set<string>()
  #proven = false
  #since = 0
  #warnedAt = 0

  constructor(options: AccessWatchOptions) {
    this.#options = options
  }

  /** A group was published and registered: what the sink does is allowed. */
  groupPublished(): void {
    this.#proven = true
  }

  async call<Answer>(operation: string, run: () => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await run()
      this.#works(operation)
      return answer
    } catch (error) {
      throw this.#lapsed(operation, error) ?? error
    }
  }

  /** The store, watched. */
  store(store: SinkObjectStore, name: string): SinkObjectStore {
    return new InterceptedStore(store, this.#interceptor(name))
  }

  #interceptor(name: string): StoreInterceptor {
    const nameOf = ({ operation }: StoreCall) => `${operation} (${name})`
    const lapsed = (call: StoreCall, error: unknown) => this.#lapsed(nameOf(call), error) ?? error
    const works = (call: StoreCall) => this.#works(nameOf(call))
    return {
      // S3 also forbids to look for what is not there: whoever looks has to tell.
      call: (call, run) => (call.operation === 'HeadObject' ? run() : this.call(nameOf(call), run)),
      async *listing(call, items) {
        try {
          for await (const item of items) {
            works(call)
            yield item
          }
          works(call)
        } catch (error) {
          throw lapsed(call, error)
        }
      },
    }
  }

  #works(operation: string): void {
    this.#worked.add(operation)
    if (!this.#refused.delete(operation) || this.#refused.size > 0) return
    const { logger, sink } = this.#options
    logger.info(`Sink ${sink}: access works again after ${this.#duration()}.`)
  }

  #lapsed(operation: string, error: unknown): StockpipeError | undefined {
    const answer = accessRefusal(error)
    if (answer === undefined || !this.#proven || !this.#worked.has(operation)) return undefined
    this.#warn(operation, answer)
    return new StockpipeError({
      code,
      message: `${operation} worked before and is refused now: ${answer}.`,
      retryable: true,
      cause: error,
      facts: { operation, answer },
    })
  }

  #warn(operation: string, answer: string): void {
    const now = this.#options.runtime.monotonic()
    const first = this.#refused.size === 0
    this.#refused.add(operation)
    if (first) this.#since = now
    else if (now - this.#warnedAt < warningMillis) return
    this.#warnedAt = now
    const { logger, sink } = this.#options
    logger.warn(
      `Sink ${sink}: ${operation} worked before and is refused ${first ? 'now' : `for ${this.#duration()}`}: ${answer}. Nothing is lost: ` +
        'it waits, reads no more than its memory takes, and goes on when access works again. Renew the credentials or ' +
        'restore the permission; fixed credentials are only read at start, those of a provider are renewed.',
    )
  }

  #duration(): string {
    const seconds = Math.round((this.#options.runtime.monotonic() - this.#since) / 1000)
    return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`
  }
}

/** Waited for, and warned of by the watch. */
export const isAccessLapsed = (error: StockpipeError): boolean => error.code === code

/** What was answered, when it is a refusal of access: `403 AccessDenied`. */
const accessRefusal = (error: unknown): string | undefined => {
  if (error instanceof ObjectStoreError) {
    const { status, facts } = error
    const name = typeof facts['name'] === 'string' ? facts['name'] : ''
    const refused =
      error.outcome === 'refused' && (status === 401 || status === 403 || accessRefusals.has(name))
    return refused ? [status, name].filter(Boolean).join(' ') : undefined
  }
  const { name, cause } = (error ?? {}) as {
    readonly name?: unknown
    readonly cause?: { readonly name?: unknown }
  }
  return [name, cause?.name].find((one): one is string => typeof one === 'string' && accessRefusals.has(one))
}
