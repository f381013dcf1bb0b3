import type { Runtime } from '@stockpipe/core'

/** A runtime whose timers fire at once while its clock moves on by their delay; `delays` lists them. */
export const virtualRuntime = (): Runtime & { readonly delays: number[] } => {
  let now = 1_700_000_000_000
  const delays: number[] = []
  return {
    delays,
    now: () => now,
    monotonic: () => now,
    setTimer(callback, delayMillis) {
      delays.push(delayMillis)
      const immediate = setImmediate(() => {
        now += delayMillis
        callback()
      })
      return { cancel: () => clearImmediate(immediate) }
    },
    random: () => 0.5,
    randomBytes: (length) => new Uint8Array(length).fill(7),
  }
}
