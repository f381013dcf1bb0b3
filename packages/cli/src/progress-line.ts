import type { CommandIO } from './command.ts'

const clear = '\r\u001b[K'

/** A line on the terminal of stderr that is written over while a command works; where stderr is no terminal, nothing. */
export class ProgressLine {
  readonly #stderr: CommandIO['stderr']
  #timer: NodeJS.Timeout | undefined

  constructor({ stderr }: CommandIO, text: () => string, everyMillis = 1000) {
    this.#stderr = stderr
    if (!stderr.isTTY) return
    this.#timer = setInterval(() => stderr.write(`${clear}${text()}`), everyMillis)
    this.#timer.unref()
  }

  /** Takes the line away. */
  close(): void {
    if (!this.#timer) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#stderr.write(clear)
  }
}
