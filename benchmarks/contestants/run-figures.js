import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

// What every contestant tells the benchmark, a line of JSON each: how many rows it has read, and at the end its CPU time
// and memory, as the kernel counts them for the whole process with all its threads.
const lagResolutionMillis = 10
const rowsPerLine = 10_000

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

export class RunFigures {
  #rows = 0
  #told = 0
  #first
  #lag = monitorEventLoopDelay({ resolution: lagResolutionMillis })

  /** Call before the first row: the clock begins now. */
  begin() {
    if (this.#first) return
    this.#first = { atMillis: Date.now(), cpuSeconds: cpuSeconds() }
    this.#lag.enable()
  }

  /** Call when rows have been read. */
  read(rows) {
    this.begin()
    this.#rows += rows
    if (this.#rows - this.#told < rowsPerLine) return
    this.#told = this.#rows
    process.stdout.write(`${JSON.stringify({ rows: this.#rows })}\n`)
  }

  /** Call when everything is committed. */
  end() {
    const now = { atMillis: Date.now(), cpuSeconds: cpuSeconds() }
    const first = this.#first ?? now
    this.#lag.disable()
    const peakKilobytes = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
    const lagMillis = this.#first ? Math.max(0, this.#lag.percentile(99) / 1e6 - lagResolutionMillis) : 0
    const figures = {
      rows: this.#rows,
      seconds: (now.atMillis - first.atMillis) / 1000,
      cpuSeconds: now.cpuSeconds,
      steadyCpuSeconds: now.cpuSeconds - first.cpuSeconds,
      peakMegabytes: peakKilobytes / 1000,
      lagMillis,
    }
    process.stdout.write(`${JSON.stringify({ end: figures })}\n`)
  }
}
