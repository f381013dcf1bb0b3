import { ConfigurationError } from '@stockpipe/core'
import { type RetryContext, retry } from './retry.ts'
import type { SinkObjectStore } from './sink-object-store.ts'

/**
 * Shows that the store really refuses a conditional put of a key that is taken.
 *
 * Throws a `ConfigurationError` when it does not, and what the store says when it cannot be reached in 6 attempts.
 */
export const probeConditionalPut = async (
  store: SinkObjectStore,
  key: string,
  context: RetryContext,
  signal?: AbortSignal,
): Promise<void> => {
  const put = () =>
    retry(context, { signal, what: `probing conditional writes at ${key}`, attempts: 6 }, () =>
      store.putIfAbsent(key, new TextEncoder().encode('conditional writes are probed here\n'), {
        ...(signal ? { signal } : {}),
        contentType: 'text/plain',
      }),
    )
  if ((await put()) === 'exists') return
  if ((await put()) === 'exists') return
  throw new ConfigurationError({
    code: 'CONDITIONAL_PUT_IGNORED',
    message: `The object store took a second PutObject with If-None-Match at ${key}: it ignores the condition, so a sink on it could double records. Use a store that honours it (Amazon S3 does).`,
    facts: { key },
  })
}
