#!/usr/bin/env node
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

void main(process.argv.slice(2), {
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
