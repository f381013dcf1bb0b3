import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const afterCrash = 'after a crash of its worker'
const program = fileURLToPath(new URL('./member.js', import.meta.url))

/** What the members of a run have met. */
export class Ledger {
  kills = {}
  stops = 0
  groups = 0
  fenced = 0
  failures = {}

  count(counts, what) {
    counts[what] = (counts[what] ?? 0) + 1
  }
}

/** Starts a member; `ended` resolves with how it ended. */
export const startMember = (settings, ledger) => {
  const child = fork(program, [JSON.stringify(settings)], {
    execArgv: ['--no-warnings'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let diesAt
  let failure
  child.on('message', (message) => {
    if (message.kind === 'dies') diesAt = message.point
    if (message.kind === 'group') ledger.groups += 1
    if (message.kind === 'fenced') ledger.fenced += 1
    if (message.kind === 'failed') failure = message
    // It reads on from the journal for a while, with a new worker, before it dies.
    if (message.kind === 'crashed' && !diesAt) {
      diesAt = afterCrash
      setTimeout(() => child.kill('SIGKILL'), settings.crashMillis)
    }
  })
  const ended = new Promise((resolve) =>
    child.on('exit', (code, signal) => resolve({ code, signal, diesAt, failure })),
  )
  return { child, ended }
}

/**
 * Keeps one member running until `stopping` aborts: what ends is started again, each time with the next point to die
 * at. A member that ends by itself is a failure that is counted; the service manager of a real one would do the same.
 */
export const keepMember = async ({ settings, ledger, nextPoint, stopping, random, onStart }) => {
  while (!stopping.aborted) {
    const point = nextPoint()
    // A process registers a partition once, so these points come with its first group.
    const nth = ['after publish', 'after register'].includes(point) ? 1 : 1 + random.below(3)
    const crashMillis = point === afterCrash ? random.below(6000) : undefined
    const { child, ended } = startMember({ ...settings, point, nth, crashMillis }, ledger)
    onStart?.(child)
    const end = () => child.kill('SIGTERM')
    stopping.addEventListener('abort', end, { once: true })
    const timer =
      point === 'any time' ? setTimeout(() => child.kill('SIGKILL'), 500 + random.below(9000)) : undefined
    const { code, signal, diesAt, failure } = await ended
    clearTimeout(timer)
    stopping.removeEventListener('abort', end)
    if (signal === 'SIGKILL' && !stopping.aborted) ledger.count(ledger.kills, diesAt ?? 'any time')
    else if (!stopping.aborted) {
      const { code: failed = `exit ${code ?? signal}`, message } = failure ?? {}
      ledger.count(ledger.failures, failed)
      if (message) console.log(`a member ended by itself: ${message}`)
      await sleep(500)
    }
  }
}
