import { StockpipeError, type TopicPartition } from '@stockpipe/core'
import { createSink, type Sink } from '../../src/sink.ts'
import type { SinkOptions } from '../../src/sink-options.ts'
import { type MemoryBucket, MemoryObjectStore } from '../sink/memory-object-store.ts'
import type { Chance } from './chance.ts'
import type { FaultyCalls } from './faulty-calls.ts'
import type { NumberedLog } from './numbered-log.ts'
import { ProcessClock, type WorldTime } from './world-time.ts'

/** What a member may meet without a fault of the sink: faults of its surroundings, and other owners. */
const expectedCodes = new Set([
  'OBJECT_STORE_REFUSED',
  'OBJECT_STORE_UNKNOWN',
  'HEAD_FORBIDDEN',
  'FENCED',
  'PARTITION_NOT_ASSIGNED',
  'SINK_CLOSED',
  'ENGINE_WORKER_LOST',
  'ENGINE_WORKERS_FAIL',
])

interface Reading {
  readonly log: NumberedLog
  position: bigint
  busy: boolean
}

/** One process with a sink, as a member of a consumer group that does what the simulation tells it. */
export class Member {
  readonly name: string
  readonly clock: ProcessClock
  readonly store: MemoryObjectStore
  readonly #chance: Chance
  readonly #sink: Sink
  readonly #readings = new Map<NumberedLog, Reading>()
  readonly #opening = new Set<NumberedLog>()
  readonly #logs: readonly NumberedLog[]
  /** What must not happen. */
  readonly faults: unknown[] = []
  alive = true
  #closed = false

  constructor(
    name: string,
    world: {
      time: WorldTime
      chance: Chance
      calls: FaultyCalls
      bucket: MemoryBucket
      logs: readonly NumberedLog[]
    },
    options: Omit<SinkOptions, 'name' | 'store' | 'runtime'>,
  ) {
    this.name = name
    this.#chance = world.chance
    this.#logs = world.logs
    this.clock = new ProcessClock(world.time, world.chance)
    this.store = new MemoryObjectStore(world.bucket)
    world.calls.attach(this.store, this.clock)
    this.#sink = createSink({
      ...options,
      name: 'market',
      writer: name,
      store: this.store,
      runtime: this.clock,
    })
    this.#sink.on('fenced', (log) => this.#lost(log))
    this.#sink.on('failed', (log, error) => {
      this.#lost(log)
      this.#judge(error)
    })
    this.#sink.on('committable', ({ topic, partition, offset }) => {
      const log = this.#logs.find((one) => one.topic === topic && one.partition === partition)
      if (log && this.alive) log.committed = offset
    })
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** True when it has read each of the logs to its end. */
  hasRead(logs: readonly NumberedLog[]): boolean {
    return logs.every((log) => {
      const reading = this.#readings.get(log)
      return reading !== undefined && !reading.busy && reading.position >= log.logEnd
    })
  }

  isReading(log: NumberedLog): boolean {
    return this.#readings.has(log) || this.#opening.has(log)
  }

  assign(logs: readonly NumberedLog[], again = false): void {
    const fresh = logs.filter((log) => !this.#opening.has(log))
    if (fresh.length === 0) return
    for (const log of fresh) {
      this.#opening.add(log)
      this.#readings.delete(log)
    }
    const generation = 1
    this.#sink
      .assign(
        fresh.map((log) => log.assigned),
        { generation },
      )
      .then((positions) => {
        for (const { topic, partition, offset } of positions) {
          const log = fresh.find((one) => one.topic === topic && one.partition === partition)!
          this.#readings.set(log, { log, position: offset, busy: false })
        }
      })
      .catch((error: unknown) => {
        // Others may have read on since the log's end was looked up: look again.
        if (!StockpipeError.isInstance(error) || error.code !== 'LOG_CHANGED' || again) this.#judge(error)
        else setImmediate(() => this.assign(fresh, true))
      })
      .finally(() => {
        for (const log of fresh) this.#opening.delete(log)
      })
  }

  /** Hands over the next records of one log; asks anew for a position that Kafka no longer has. */
  read(): void {
    const ready = [...this.#readings.values()].filter(
      ({ busy, position, log }) => !busy && position < log.logEnd,
    )
    if (ready.length === 0 || !this.clock.runs) return
    const reading = this.#chance.pick(ready)
    if (reading.position < reading.log.logStart) {
      this.assign([reading.log])
      return
    }
    const block = reading.log.block(reading.position, 1 + this.#chance.below(6))
    reading.busy = true
    this.#sink
      .write(block)
      .then(() => {
        reading.position = block.nextOffset
      })
      .catch((error: unknown) => {
        // What an earlier assignment was handed may fail after a later one.
        if (this.#readings.get(reading.log) === reading) this.#lost(block)
        this.#judge(error)
      })
      .finally(() => {
        reading.busy = false
      })
  }

  flush(): void {
    this.#sink.flush().catch((error: unknown) => this.#judge(error))
  }

  revoke(drain: boolean): void {
    const logs = [...this.#readings.keys()]
    if (logs.length === 0) return
    const log = this.#chance.pick(logs)
    this.#readings.delete(log)
    const deadline = this.clock.monotonic() + this.#chance.below(20_000)
    this.#sink
      .revoke([log], drain ? { drain, deadline } : { drain })
      .catch((error: unknown) => this.#judge(error))
  }

  close(): void {
    this.#readings.clear()
    this.#sink
      .close()
      .catch((error: unknown) => this.#judge(error))
      .finally(() => {
        this.#closed = true
      })
  }

  #lost({ topic, partition }: TopicPartition): void {
    const log = this.#logs.find((one) => one.topic === topic && one.partition === partition)
    if (log) this.#readings.delete(log)
  }

  #judge(error: unknown): void {
    if (!this.alive) return
    if (StockpipeError.isInstance(error) && expectedCodes.has(error.code)) return
    this.faults.push(error)
  }
}
