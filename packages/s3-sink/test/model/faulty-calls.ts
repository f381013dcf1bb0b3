import { ObjectStoreError } from '../../src/errors.ts'
import {
  type MemoryObjectStore,
  refusal,
  type StoreCall,
  unknownOutcome,
} from '../sink/memory-object-store.ts'
import type { Chance } from './chance.ts'
import type { ProcessClock, WorldTime } from './world-time.ts'

/** S3 refuses a signature that is further off. */
const longestSignatureAgeMillis = 15 * 60_000

/** How often calls meet a fault, each between 0 and 1. */
export interface FaultRates {
  /** No answer, no effect. */
  readonly lost: number
  /** It took effect, the answer was lost. */
  readonly unheard: number
  /** No answer; it takes effect at some later time. */
  readonly late: number
  /** Refused by name (409 to a conditional put, 503 else): nothing happened, try again. */
  readonly busy: number
  /** Refused for good, as when credentials have expired. */
  readonly forbidden: number
}

interface WaitingCall {
  readonly call: StoreCall
  readonly clock: ProcessClock
  readonly apply: () => unknown
  readonly answer: (value: unknown) => void
  readonly fail: (error: unknown) => void
}

/** Every call that any process has made and that has not been answered, and every effect that is still to come. */
export class FaultyCalls {
  readonly #time: WorldTime
  readonly #chance: Chance
  #waiting: WaitingCall[] = []
  #late: (() => unknown)[] = []
  rates: FaultRates
  /** How often each fault was met. */
  readonly met = { lost: 0, unheard: 0, late: 0, busy: 0, forbidden: 0, skewed: 0, tooLate: 0, atDeath: 0 }

  constructor(time: WorldTime, chance: Chance, rates: FaultRates) {
    this.#time = time
    this.#chance = chance
    this.rates = rates
  }

  /** Takes the calls of a process's store into its hands. */
  attach(store: MemoryObjectStore, clock: ProcessClock): void {
    store.intercept = (call, apply) =>
      new Promise((answer, fail) => this.#waiting.push({ call, clock, apply, answer, fail }))
  }

  get lateEffects(): number {
    return this.#late.length
  }

  /** Answers one call of a process that runs. False when there is none. */
  deliverOne(): boolean {
    const waiting = this.#waiting.filter(({ clock }) => clock.runs)
    if (waiting.length === 0) return false
    const one = this.#chance.pick(waiting)
    this.#waiting = this.#waiting.filter((other) => other !== one)
    this.#deliver(one)
    return true
  }

  /** Lets an effect happen that was long given up. */
  lateEffectArrives(): void {
    if (this.#late.length > 0) attempt(this.#chance.take(this.#late))
  }

  /** The process is gone: each call it waited for was lost, took effect, or will. */
  died(clock: ProcessClock): void {
    for (const { apply } of this.#waiting.filter((one) => one.clock === clock)) {
      this.met.atDeath += 1
      const fate = this.#chance.below(3)
      if (fate === 1) attempt(apply)
      if (fate === 2) this.#late.push(apply)
    }
    this.#waiting = this.#waiting.filter((one) => one.clock !== clock)
  }

  #deliver({ call, clock, apply, answer, fail }: WaitingCall): void {
    const conditional = call.operation === 'putIfAbsent'
    if (conditional && call.signedBefore !== undefined && clock.now() >= call.signedBefore) {
      this.met.tooLate += 1
      fail(signedTooLate(call.key))
      return
    }
    // Signed now, by the process's own clock.
    const signedAt = clock.now()
    const effect = (): unknown => {
      if (Math.abs(this.#time.now - signedAt) > longestSignatureAgeMillis) {
        this.met.skewed += 1
        throw refusal(403)
      }
      return apply()
    }
    const { lost, unheard, late, busy, forbidden } = this.rates
    const writes = !['get', 'head', 'list', 'listUploads', 'listParts'].includes(call.operation)
    let draw = this.#chance.next()
    if ((draw -= lost) < 0) {
      this.met.lost += 1
      fail(unknownOutcome())
      return
    }
    if (writes && (draw -= unheard) < 0) {
      this.met.unheard += 1
      attempt(effect)
      fail(unknownOutcome())
      return
    }
    if (writes && (draw -= late) < 0) {
      this.met.late += 1
      this.#late.push(effect)
      fail(unknownOutcome())
      return
    }
    if ((draw -= busy) < 0) {
      this.met.busy += 1
      fail(conditional ? refusal(409, true) : unknownOutcome())
      return
    }
    if ((draw -= forbidden) < 0) {
      this.met.forbidden += 1
      fail(refusal(403))
      return
    }
    try {
      answer(effect())
    } catch (error) {
      fail(error)
    }
  }
}

/** What it was meant for may be gone; nobody hears the answer. */
const attempt = (effect: () => unknown): void => {
  try {
    effect()
  } catch {}
}

const signedTooLate = (key: string): ObjectStoreError =>
  new ObjectStoreError({
    code: 'SIGNED_TOO_LATE',
    message: `${key} would be signed too late`,
    outcome: 'refused',
  })
