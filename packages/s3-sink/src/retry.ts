import { channels, type Runtime, StockpipeError, sleep } from '@stockpipe/core'
import { isAccessLapsed } from './access-watch.ts'
import type { SinkLogger } from './logger.ts'

/** What retries need of their surroundings. */
export interface RetryContext {
  readonly runtime: Runtime
  readonly logger: SinkLogger
  /** The sink's name, for telemetry. */
  readonly sink?: string
}

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined
  /** What is done, for the log: "claiming trades-0 at 12". */
  readonly what: string
  /** Calls at most; default without end, until the signal aborts. */
  readonly attempts?: number
}

const firstDelayMillis = 100
const longestDelayMillis = 15_000

/** Delay before repeat `failures` (from 1): exponential with full jitter, 100 ms to 15 s. */
export const backoffMillis = (runtime: Runtime, failures: number): number =>
  Math.ceil(
    Math.min(longestDelayMillis, firstDelayMillis * 2 ** (failures - 1)) * (0.5 + runtime.random() / 2),
  )

/**
 * Calls until there is an answer. Only errors that say `retryable` are repeated; an outage of the store is waited
 * out without end, with a warning at the 4th failure and ever more rarely after it.
 *
 * @param call gets the number of the attempt, from 1
 */
export const retry = async <T>(
  context: RetryContext,
  options: RetryOptions,
  call: (attempt: number) => Promise<T>,
): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted()
    try {
      return await call(attempt)
    } catch (error) {
      options.signal?.throwIfAborted()
      const again = StockpipeError.isInstance(error) && error.retryable
      if (!again || attempt >= (options.attempts ?? Number.POSITIVE_INFINITY)) throw error
      if (attempt >= 4 && Number.isInteger(Math.log2(attempt)) && !isAccessLapsed(error)) {
        context.logger.warn(`${options.what}: attempt ${attempt} failed, going on trying. ${error.message}`)
      }
      const delayMillis = backoffMillis(context.runtime, attempt)
      channels.s3Sink.retry.publish(() => ({
        sink: context.sink,
        what: options.what,
        attempt,
        code: error.code,
        delayMillis,
      }))
      await sleep(context.runtime, delayMillis, options.signal)
    }
  }
}
