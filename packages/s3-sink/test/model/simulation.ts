import type { RecordReader, TopicPartition } from '@stockpipe/core'
import type { SinkOptions } from '../../src/sink-options.ts'
import { MemoryBucket } from '../sink/memory-object-store.ts'
import { Chance } from './chance.ts'
import { type FaultRates, FaultyCalls } from './faulty-calls.ts'
import { Member } from './member.ts'
import { NumberedLog } from './numbered-log.ts'
import { WorldTime } from './world-time.ts'

const hourMillis = 3_600_000
const noFaults: FaultRates = { lost: 0, unheard: 0, late: 0, busy: 0, forbidden: 0 }
/** A schedule that takes longer than this has come to a stand. */
const mostSteps = 20_000

export type MemberOptions = Omit<SinkOptions, 'name' | 'store' | 'runtime' | 'readAgain'>

type Action =
  | 'answer'
  | 'time'
  | 'read'
  | 'produce'
  | 'hole'
  | 'flush'
  | 'revoke'
  | 'giveUp'
  | 'close'
  | 'join'
  | 'steal'
  | 'kill'
  | 'hang'
  | 'wake'
  | 'skew'
  | 'late'
  | 'retain'
  | 'expire'

/** What a schedule is made of. */
export interface ScheduleOptions {
  readonly seed: number
  readonly steps: number
  readonly partitions: number
  readonly rates: FaultRates
  /** Actions more or less likely than they are by default. */
  readonly weights?: Partial<Record<Action, number>>
  readonly member: (joined: number) => MemberOptions
}

const usualWeights: Record<Action, number> = {
  answer: 60,
  time: 8,
  read: 24,
  produce: 5,
  hole: 0.6,
  flush: 0.8,
  revoke: 0.5,
  giveUp: 0.3,
  close: 0.3,
  join: 1.5,
  steal: 0.7,
  kill: 0.7,
  hang: 0.6,
  wake: 0.8,
  skew: 0.15,
  late: 1,
  retain: 0.4,
  expire: 0.25,
}

/**
 * One Kafka, one bucket, members that come, go, hang and die, and calls that meet every fault: all of it, time
 * included, in an order that one seed decides.
 */
export class Simulation {
  readonly time = new WorldTime()
  readonly bucket: MemoryBucket
  readonly chance: Chance
  readonly calls: FaultyCalls
  readonly logs: readonly NumberedLog[]
  readonly members: Member[] = []
  readonly done: Partial<Record<Action, number>> = {}
  readonly #options: ScheduleOptions
  #ids = 0
  #ending = false

  constructor(options: ScheduleOptions) {
    this.#options = options
    this.chance = new Chance(options.seed)
    this.bucket = new MemoryBucket({ completesAgain: options.seed % 2 === 1 })
    this.calls = new FaultyCalls(this.time, this.chance, options.rates)
    this.logs = Array.from(
      { length: options.partitions },
      (_, partition) => new NumberedLog('ticks', partition, this.chance),
    )
  }

  /**
   * The schedule, then a last member without faults that reads everything while the rest of the old ones wakes.
   * Rejects with what a member met that it must not meet.
   */
  async run(): Promise<void> {
    const weights = { ...usualWeights, ...this.#options.weights }
    for (const log of this.logs) this.#produce(log)
    this.#join()
    for (let step = 0; step < this.#options.steps; step += 1) {
      await this.#act(this.chance.weighted(weights))
    }
    await this.#end()
    // What is still under way somewhere arrives, and another member finds everything done.
    while (this.calls.lateEffects > 0) this.calls.lateEffectArrives()
    await this.#finish(this.#join(this.logs))
  }

  async #act(action: Action): Promise<void> {
    this.done[action] = (this.done[action] ?? 0) + 1
    const running = this.members.filter(({ alive, clock, isClosed }) => alive && clock.runs && !isClosed)
    const one = running.length > 0 ? this.chance.pick(running) : undefined
    switch (action) {
      case 'answer':
        if (!this.calls.deliverOne()) this.time.fireNext()
        break
      case 'time':
        if (!this.time.fireNext()) this.time.now += 1 + this.chance.below(30_000)
        break
      case 'read':
        one?.read()
        break
      case 'produce':
        this.#produce(this.chance.pick(this.logs))
        break
      case 'hole':
        this.chance.pick(this.logs).skip(1 + this.chance.below(3))
        break
      case 'flush':
        one?.flush()
        break
      case 'revoke':
        one?.revoke(true)
        break
      case 'giveUp':
        one?.revoke(false)
        break
      case 'close':
        one?.close()
        break
      case 'join':
        this.#join()
        break
      case 'steal':
        one?.assign([this.chance.pick(this.logs)])
        break
      case 'kill':
        if (one) this.#kill(one)
        break
      case 'hang':
        if (one) one.clock.runs = false
        break
      case 'wake':
        this.#wake()
        break
      case 'skew':
        if (one) one.clock.skewMillis = this.chance.happens(0.3) ? 0 : (this.chance.next() - 0.5) * hourMillis
        break
      case 'late':
        this.calls.lateEffectArrives()
        break
      case 'retain':
        this.#retain(this.chance.pick(this.logs))
        break
      case 'expire':
        this.#expire()
        break
    }
    await this.#settle()
  }

  async #end(): Promise<void> {
    this.#ending = true
    this.calls.rates = noFaults
    for (const member of this.members) {
      member.clock.skewMillis = 0
      member.clock.crashRate = 0
      if (member.alive && !member.isClosed && this.chance.happens(0.4)) this.#kill(member)
    }
    const last = this.#join(this.logs)
    for (const member of this.members) if (this.chance.happens(0.5)) member.clock.runs = true
    await this.#finish(last)
    for (const member of this.members) {
      member.clock.runs = true
      if (member.alive && !member.isClosed) member.close()
    }
    await this.#until(() => this.members.every(({ alive, isClosed }) => !alive || isClosed))
  }

  /** Lets a member read everything and close; whoever fences it loses in the end. */
  async #finish(member: Member): Promise<void> {
    const read = async () => {
      await this.#until(
        () => member.hasRead(this.logs),
        () => {
          for (const log of this.logs) if (!member.isReading(log)) member.assign([log])
          member.read()
          if (this.chance.happens(0.02)) this.calls.lateEffectArrives()
        },
      )
    }
    await read()
    member.flush()
    await read()
    member.close()
    await this.#until(() => member.isClosed)
  }

  async #until(holds: () => boolean, act = () => {}): Promise<void> {
    for (let step = 0; step < mostSteps; step += 1) {
      if (holds()) return
      act()
      if (!this.calls.deliverOne()) this.time.fireNext()
      await this.#settle()
    }
    throw new Error('the simulation has come to a stand')
  }

  readonly #reader: RecordReader = {
    read: (log: TopicPartition, from: bigint, to: bigint) => this.#read(log, from, to),
  }

  async *#read({ partition }: TopicPartition, from: bigint, to: bigint) {
    for (let at = from; at < to; ) {
      const block = this.logs[partition]!.block(at, 1 + this.chance.below(5), to)
      at = block.nextOffset
      yield block
    }
  }

  /** A rule of the bucket, too short, takes an upload away. */
  #expire(): void {
    const { uploads } = this.bucket
    if (uploads.size > 0) uploads.delete(this.chance.pick([...uploads.keys()]))
  }

  /** Promises of all processes go on until each waits for a call or for time. */
  async #settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    for (const { faults } of this.members) if (faults.length > 0) throw faults[0]
  }

  #produce(log: NumberedLog): void {
    const count = 1 + this.chance.below(12)
    log.produce(this.#ids, count, ['A', 'BRK.B', 'C d%'])
    this.#ids += count
  }

  #join(logs: readonly NumberedLog[] = this.logs.filter(() => this.chance.happens(0.7))): Member {
    const { time, chance, calls, bucket } = this
    const world = { time, chance, calls, bucket, logs: this.logs }
    const joined = this.members.length
    const options = { ...this.#options.member(joined), readAgain: this.#reader }
    const member = new Member(`member-${joined}`, world, options)
    if (this.#ending) member.clock.crashRate = 0
    this.members.push(member)
    member.assign(logs)
    return member
  }

  #kill(member: Member): void {
    member.alive = false
    member.clock.runs = false
    this.time.forget(member.clock)
    this.calls.died(member.clock)
  }

  /** A process that hung goes on: after seconds, or after days. */
  #wake(): void {
    const hung = this.members.filter(({ alive, clock }) => alive && !clock.runs)
    if (hung.length === 0) return
    if (this.chance.happens(0.3)) this.time.now += this.chance.below(80) * hourMillis
    this.chance.pick(hung).clock.runs = true
  }

  /** Kafka's log loses what the group has committed, never more. */
  #retain(log: NumberedLog): void {
    if (log.committed !== undefined && log.committed > 0n)
      log.retain(log.committed - BigInt(this.chance.below(2)))
  }
}
