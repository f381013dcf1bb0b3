#!/usr/bin/env node
import { createInterface } from 'node:readline/promises'
import { main } from './main.ts'

// The SDK would tell of its own support plans on stderr, amid what the command says.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

/** A command that was told to end has this long; then the process ends it. */
let endMillis = 2000

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(130)
    interrupted.abort(new Error(`${signal} received`))
    setTimeout(() => process.exit(1), endMillis).unref()
  })
}
// A reader that has had enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const ask = async (question: string): Promise<string> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // While it asks, the terminal gives it Ctrl-C as a key.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  const { signal } = interrupted
  try {
    return await terminal.question(question, { signal })
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    terminal.close()
  }
}

void main(process.argv.slice(2), {
  ...(process.stdin.isTTY && process.stderr.isTTY ? { ask } : {}),
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interrupted.signal,
  endWithin: (millis) => {
    endMillis = millis
  },
}).then((status) => {
  process.exitCode = status
  // Whatever a command left open does not keep the process alive.
  setTimeout(() => process.exit(), 500).unref()
})
