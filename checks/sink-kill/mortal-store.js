// Ends this process with SIGKILL at a named point of a flush group, where an operating system or an operator would.

/** The points, in the order of the steps of the commit protocol. */
export const killPoints = [
  'while staging',
  'after stage',
  'after claim',
  'between two publishes',
  'after publish',
  'after register',
]

const never = new Promise(() => {})

const die = () => {
  process.kill(process.pid, 'SIGKILL')
  return never
}

const isEntry = (key) => key.includes('/groups/') && key.endsWith('.json')

/**
 * A store and a registrar that do what they do until `point` is met for the `nth` time.
 *
 * @param tell called with the point before the end comes
 */
export const mortal = (store, { point, nth, tell }) => {
  let left = nth
  const meets = (name) => name === point && (left -= 1) <= 0
  const end = async () => {
    await tell(point)
    return die()
  }
  let completions = 0
  const handler = {
    get(target, name) {
      const member = target[name]
      if (typeof member !== 'function') return member
      return async (...callArguments) => {
        const [key] = callArguments
        if (name === 'uploadPart' && meets('while staging')) return end()
        if (name === 'putIfAbsent' && isEntry(key) && meets('after stage')) return end()
        if (name === 'completeUpload' && point === 'between two publishes' && left <= 0) {
          // The first completion of the group is let through, the others wait for the end.
          completions += 1
          if (completions > 1) return never
          await member.apply(target, callArguments)
          return end()
        }
        const answer = await member.apply(target, callArguments)
        if (name === 'putIfAbsent' && isEntry(key) && answer === 'created') {
          if (meets('after claim')) return end()
          if (point === 'between two publishes') left -= 1
        }
        return answer
      }
    },
  }
  const iterates = new Set(['list', 'listUploads'])
  const wrapped = new Proxy(store, {
    get: (target, name) =>
      iterates.has(name) ? (...callArguments) => target[name](...callArguments) : handler.get(target, name),
  })
  const registrar = {
    async register() {
      if (meets('after publish')) return end()
      if (meets('after register')) {
        // The answer of a catalog, and then nothing more of this process.
        setImmediate(() => void end())
      }
    },
  }
  return { store: wrapped, registrar }
}
