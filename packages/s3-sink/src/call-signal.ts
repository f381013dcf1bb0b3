const followers = new WeakMap<AbortSignal, Set<AbortController>>()

/**
 * Aborts a controller together with a signal, until the answered function is called. A signal is listened to once, and
 * nothing of a call stays with it: `AbortSignal.any` leaves some bytes on a source for each signal derived from it in
 * Node 20 (nodejs/node#55351), for as long as a partition is assigned.
 */
export const abortWith = (signal: AbortSignal, controller: AbortController): (() => void) => {
  if (signal.aborted) controller.abort(signal.reason)
  const known = followers.get(signal)
  const following = known ?? new Set<AbortController>()
  if (!known) {
    followers.set(signal, following)
    const abort = () => {
      for (const each of following) each.abort(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
  }
  following.add(controller)
  return () => void following.delete(controller)
}
