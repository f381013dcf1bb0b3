/** A timer that can be taken back. */
export interface RuntimeTimer {
  cancel(): void
}

/**
 * Clock, timers and chance, handed in so that tests own them. Nothing in core, kafka and s3-sink
 * calls Date.now, setTimeout or Math.random by itself (a lint rule holds this).
 */
export interface Runtime {
  /** Wall clock, milliseconds since the epoch. */
  now(): number
  /** A clock that never goes back, milliseconds from an arbitrary start. */
  monotonic(): number
  /** Calls `callback` once after `delayMillis`, never when that is infinite. A timer alone does not keep the process alive unless `keepAlive`. */
  setTimer(callback: () => void, delayMillis: number, options?: { keepAlive?: boolean }): RuntimeTimer
  /** A number in [0, 1). */
  random(): number
  /** `length` unpredictable bytes, for claim ids. */
  randomBytes(length: number): Uint8Array
}

/** Node calls after 1 ms what is to wait longer. */
const longestTimeoutMillis = 2 ** 31 - 1

/** The process's own clock, timers and chance. */
export const systemRuntime: Runtime = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback: () => void, delayMillis: number, options?: { keepAlive?: boolean }) {
    let timer: NodeJS.Timeout
    const wait = (leftMillis: number) => {
      const millis = Math.min(leftMillis, longestTimeoutMillis)
      timer = setTimeout(() => (leftMillis > millis ? wait(leftMillis - millis) : callback()), millis)
      if (!options?.keepAlive) timer.unref()
    }
    wait(delayMillis)
    return { cancel: () => clearTimeout(timer) }
  },
  random: () => Math.random(),
  randomBytes: (length: number) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
})

/** Resolves after `delayMillis` by the runtime's timers, or rejects with `signal.reason`. */
export const sleep = (runtime: Runtime, delayMillis: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = runtime.setTimer(
      () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      },
      delayMillis,
      { keepAlive: true },
    )
    signal?.addEventListener('abort', onAbort, { once: true })
  })
