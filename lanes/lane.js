import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** The exit code of a lane whose prerequisites this machine lacks. */
export const skipCode = 77

/** Ends the lane with one sentence: something it needs is not on this machine. */
export const skip = (sentence) => {
  process.stderr.write(`${sentence}\n`)
  process.exit(skipCode)
}

/** What a command prints, on both streams; undefined where the machine has no such command. */
export const outputOf = (command, commandArguments) => {
  const { error, stdout, stderr } = spawnSync(command, commandArguments, { encoding: 'utf8' })
  return error ? undefined : `${stdout}${stderr}`
}

/** A port of the loopback address that nobody listens on now. */
export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer()
      .on('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = server.address()
        server.close(() => resolve(port))
      })
  })

/** A free port below those the kernel gives to clients, so that nobody takes it while its service is down. */
export const lastingPort = async () => {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000)
    const isFree = await new Promise((resolve) => {
      const server = createServer()
        .on('error', () => resolve(false))
        .listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (isFree) return port
  }
}

const isListening = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
      .on('connect', () => {
        socket.destroy()
        resolve(true)
      })
      .on('error', () => resolve(false))
  })

const isRunning = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** One run of a lane: the programs it started and the folders it made, all ended and removed by `end`. */
export class Lane {
  #children = new Map()
  #folders = new Set()
  #ending

  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => this.end(0))
  }

  get isEnding() {
    return this.#ending !== undefined
  }

  /** A folder that lasts as long as the lane. */
  temporaryFolder(name) {
    const folder = mkdtempSync(join(tmpdir(), `stockpipe-lane-${name}-`))
    this.#folders.add(folder)
    return folder
  }

  /** Starts a program; `onText` sees what it prints, `onStart` its pid. `ended` resolves with its exit code and last output. */
  spawn(command, commandArguments, { onText = () => {}, onStart = () => {}, ...options } = {}) {
    const child = spawn(command, commandArguments, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    onStart(child.pid)
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        text = (text + chunk).slice(-20_000)
        onText(text)
      })
    }
    const ended = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve({ code: code ?? signal, text }))
    })
    this.#children.set(child, ended)
    return ended.finally(() => this.#children.delete(child))
  }

  /** Runs a program to its end; throws what it printed when it fails. */
  async run(command, commandArguments, options) {
    const { code, text } = await this.spawn(command, commandArguments, options)
    if (code !== 0 && !this.#ending) throw new Error(`${command} ended with ${code}:\n${text}`)
    return text
  }

  /**
   * The cache folder of `name`, filled by `fill(folder)` the first time, after `checkTools()` let it pass.
   * A folder half filled never counts.
   */
  async install(name, checkTools, fill) {
    const lanes = join(homedir(), '.cache', 'stockpipe', 'lanes')
    mkdirSync(lanes, { recursive: true })
    const entries = readdirSync(lanes)
    if (entries.includes(name)) return join(lanes, name)
    checkTools()
    const partial = `${name}.partial-`
    for (const entry of entries) {
      if (!entry.startsWith(partial) || isRunning(Number(entry.slice(partial.length)))) continue
      rmSync(join(lanes, entry), { recursive: true, force: true })
    }
    const folder = join(lanes, `${partial}${process.pid}`)
    this.#folders.add(folder)
    mkdirSync(folder)
    process.stderr.write(`Installing ${name} (only the first time) ...\n`)
    await fill(folder)
    if (this.#ending) await this.#ending
    try {
      renameSync(folder, join(lanes, name))
    } catch (error) {
      // Another lane was quicker; its folder is as good as ours.
      if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error
      rmSync(folder, { recursive: true, force: true })
    }
    this.#folders.delete(folder)
    return join(lanes, name)
  }

  /**
   * Runs the service until a signal ends the lane; when it listens on `port` and has printed `readyText`,
   * prints `address` as a line of JSON. A service that ends by itself, or is not ready in `readyMillis`, is an error.
   */
  async serve(
    command,
    commandArguments,
    { port, readyText = '', readyMillis = 120_000, address, ...options },
  ) {
    let printed = ''
    const onText = (text) => {
      printed = text
    }
    const service = this.spawn(command, commandArguments, { onText, ...options })
    const ended = service.then(({ code, text }) => {
      throw new Error(`${command} ended by itself with ${code}:\n${text}`)
    })
    const listening = async () => {
      const until = performance.now() + readyMillis
      while (!printed.includes(readyText) || !(await isListening(port))) {
        if (performance.now() > until) {
          throw new Error(`${command} was not ready in ${readyMillis / 1000} s:\n${printed}`)
        }
        await setTimeout(50)
      }
      if (!this.#ending) process.stdout.write(`${JSON.stringify(address)}\n`)
    }
    await Promise.race([ended, listening()])
    await ended
  }

  /** Ends the lane with what went wrong. */
  async fail(error) {
    if (!this.#ending) process.stderr.write(`${error.message}\n`)
    await this.end(1)
  }

  /** Ends what the lane started, removes what it made, then the process. */
  end(code) {
    this.#ending ??= (async () => {
      const children = [...this.#children]
      for (const [child] of children) child.kill('SIGTERM')
      const ended = Promise.allSettled(children.map(([, childEnded]) => childEnded))
      await Promise.race([ended, setTimeout(10_000)])
      for (const [child] of children) child.kill('SIGKILL')
      await ended
      for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
      process.exit(code)
    })()
    return this.#ending
  }
}
