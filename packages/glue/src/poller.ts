import { sleep } from '@stockpipe/core'
import type { GlueCall } from './glue-request.ts'

/** How often a state is asked for: from `initialMillis` growing by half each time to `maximumMillis`, with jitter. */
export interface PollDelays {
  /** Default 500. */
  readonly initialMillis?: number
  /** Default 15,000. */
  readonly maximumMillis?: number
}

/** Waits until a state is to be asked for again. */
export interface Poller {
  (): Promise<void>
  /** Begins with `initialMillis` again. */
  reset(): void
}

export const poller = (
  call: GlueCall,
  { initialMillis = 500, maximumMillis = 15_000 }: PollDelays = {},
): Poller => {
  let delay = initialMillis
  const wait = async () => {
    await sleep(call.runtime, delay * (0.75 + call.runtime.random() / 2), call.signal)
    delay = Math.min(maximumMillis, delay * 1.5)
  }
  return Object.assign(wait, {
    reset() {
      delay = initialMillis
    },
  })
}
