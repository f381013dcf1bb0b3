import { channels } from '@stockpipe/core'
import type { ConsumerProgress } from '@stockpipe/kafka'
import type { ServiceLog } from './service-log.ts'

const lineMillis = 30_000

/** A line about what was read and published, every half a minute in which something was. */
export class ProgressLines {
  readonly #log: ServiceLog
  readonly #timer: NodeJS.Timeout
  readonly #end: () => void
  #read: ConsumerProgress = { records: 0, bytes: 0, lag: 0 }
  #groups = 0
  #rows = 0
  #deadLetters = 0
  #told = ''

  constructor(log: ServiceLog, sink: string) {
    this.#log = log
    this.#end = channels.s3Sink.group.subscribe((group) => {
      if (group.sink !== sink) return
      this.#groups += 1
      this.#rows += group.rows
      this.#deadLetters += group.deadLetters
    })
    this.#timer = setInterval(() => this.#tell(), lineMillis)
    this.#timer.unref()
  }

  readonly read = (progress: ConsumerProgress): void => {
    this.#read = progress
  }

  /** What was done altogether. */
  get totals() {
    const { records, lag } = this.#read
    return { records, rows: this.#rows, deadLetters: this.#deadLetters, groups: this.#groups, lag }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#end()
  }

  #tell(): void {
    const totals = JSON.stringify(this.totals)
    if (totals === this.#told) return
    this.#told = totals
    this.#log.info('Since the start:', this.totals)
  }
}
