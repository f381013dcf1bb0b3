import { type Runtime, StockpipeError } from '@stockpipe/core'

/** The promise's outcome, or the signal's reason as soon as it aborts; the promise then runs on unheard. */
export const abortable = async <T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (!signal) return promise
  promise.catch(() => {})
  signal.throwIfAborted()
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** True when the promise resolved or rejected within `millis`; it then runs on unheard. Never rejects. */
export const settledWithin = async (
  runtime: Runtime,
  millis: number,
  promise: Promise<unknown>,
): Promise<boolean> => {
  let cancel = () => {}
  const late = new Promise<false>((resolve) => {
    const timer = runtime.setTimer(() => resolve(false), millis, { keepAlive: true })
    cancel = () => timer.cancel()
  })
  const settled = promise.then(
    () => true,
    () => true,
  )
  const outcome = await Promise.race([settled, late])
  cancel()
  return outcome
}

/** The promise's outcome, or a retryable `KAFKA_UNREACHABLE` after `millis`; the promise then runs on unheard. */
export const within = async <T>(runtime: Runtime, millis: number, promise: Promise<T>): Promise<T> => {
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    const fail = () =>
      reject(
        new StockpipeError({
          code: 'KAFKA_UNREACHABLE',
          message: `Kafka has not answered for ${Math.round(millis)} ms.`,
          retryable: true,
        }),
      )
    // Not longer than timers of Node take.
    const timer = runtime.setTimer(fail, Math.min(millis, 2_147_483_647), { keepAlive: true })
    cancel = () => timer.cancel()
  })
  promise.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    cancel()
  }
}

/**
 * The promise's outcome; while it is awaited `beat` is called every `intervalMillis`, and what that rejects with
 * ends the waiting.
 */
export const whileBeating = async <T>(
  runtime: Runtime,
  intervalMillis: number,
  beat: () => Promise<void>,
  promise: Promise<T>,
): Promise<T> => {
  let timer = { cancel: () => {} }
  let waiting = true
  const failed = new Promise<never>((_, reject) => {
    const next = () => {
      if (waiting)
        timer = runtime.setTimer(() => void beat().then(next, reject), intervalMillis, { keepAlive: true })
    }
    next()
  })
  try {
    return await Promise.race([promise, failed])
  } finally {
    waiting = false
    timer.cancel()
  }
}
