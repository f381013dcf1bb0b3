interface Following {
  readonly controllers: Set<AbortController>
  readonly abort: () => void
}

const followings = new WeakMap<AbortSignal, Following>()

const listenTo = (signal: AbortSignal): Following => {
  const controllers = new Set<AbortController>()
  const abort = () => {
    for (const each of controllers) each.abort(signal.reason)
  }
  signal.addEventListener('abort', abort, { once: true })
  const following = { controllers, abort }
  followings.set(signal, following)
  return following
}

/**
 * Aborts a controller together with a signal, until the answered function is called. A signal is listened to once, and
 * only while something follows it. With `AbortSignal.any` something would stay for as long as a partition is assigned:
 * Node keeps a derived signal that has a listener, and Node 20 some bytes of each other (nodejs/node#55351).
 */
export const abortWith = (signal: AbortSignal, controller: AbortController): (() => void) => {
  if (signal.aborted) controller.abort(signal.reason)
  const { controllers, abort } = followings.get(signal) ?? listenTo(signal)
  controllers.add(controller)
  return () => {
    if (!controllers.delete(controller) || controllers.size > 0) return
    signal.removeEventListener('abort', abort)
    followings.delete(signal)
  }
}

/** Makes a call under a signal that aborts with any of these; throws the reason of the one that does. */
export const untilAborted = async <Answer>(
  signals: readonly (AbortSignal | undefined)[],
  call: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> => {
  const controller = new AbortController()
  const unfollow = signals.map((signal) => signal && abortWith(signal, controller))
  try {
    const answer = await call(controller.signal)
    controller.signal.throwIfAborted()
    return answer
  } finally {
    for (const each of unfollow) each?.()
  }
}
