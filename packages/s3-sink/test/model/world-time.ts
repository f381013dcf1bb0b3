import type { Runtime } from '@stockpipe/core'
import type { Chance } from './chance.ts'

interface Timer {
  readonly due: number
  readonly clock: ProcessClock
  readonly callback: () => void
}

/** True time. It passes only when the simulation says so; timers of processes that run fire in its order. */
export class WorldTime {
  now = Date.UTC(2026, 0, 2, 15)
  #timers: Timer[] = []

  add(timer: Timer): { cancel(): void } {
    this.#timers.push(timer)
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) }
  }

  /** Goes to the next timer of a process that runs and fires it. False when there is none. */
  fireNext(): boolean {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.clock.runs && (next === undefined || timer.due < next.due)) next = timer
    }
    if (!next) return false
    this.#timers = this.#timers.filter((timer) => timer !== next)
    this.now = Math.max(this.now, next.due)
    next.callback()
    return true
  }

  forget(clock: ProcessClock): void {
    this.#timers = this.#timers.filter((timer) => timer.clock !== clock)
  }
}

/** Clock, timers and chance of one process; its wall clock may be wrong, and it may hang. */
export class ProcessClock implements Runtime {
  readonly #world: WorldTime
  readonly #chance: Chance
  /** How far the wall clock is from true time. */
  skewMillis = 0
  runs = true
  /** How likely a worker thread of the process crashes at each message. */
  crashRate = 0.002

  constructor(world: WorldTime, chance: Chance) {
    this.#world = world
    this.#chance = chance
  }

  now(): number {
    return this.#world.now + this.skewMillis
  }

  monotonic(): number {
    return this.#world.now
  }

  random(): number {
    return this.#chance.next()
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#chance.below(256))
  }

  setTimer(callback: () => void, delayMillis: number) {
    return this.#world.add({ due: this.#world.now + Math.max(0, delayMillis), clock: this, callback })
  }
}
