import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** How a lane ends where the machine lacks what it needs; one sentence on stderr says what. */
const skipCode = 77

/** The address of a running service, or the sentence that says why this machine cannot have it. */
export type Lane<Address> = (Address & AsyncDisposable) | { readonly skipped: string }

/** Runs `lanes/<name>/start` (the first time it installs the service). Throws what it printed when it fails to start. */
export const startLane = async <Address extends object>(
  name: string,
  addressOf: (line: unknown) => Address,
  laneArguments: readonly string[] = [],
): Promise<Lane<Address>> => {
  const start = fileURLToPath(new URL(`../../../lanes/${name}/start`, import.meta.url))
  const child = spawn(process.execPath, [start, ...laneArguments], { stdio: ['ignore', 'pipe', 'pipe'] })
  const endWithUs = () => child.kill('SIGTERM')
  process.once('exit', endWithUs)
  let printed = ''
  child.stderr.on('data', (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-10_000)
  })
  const closed = once(child, 'close').finally(() => process.off('exit', endWithUs))
  const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text))
  const first = await Promise.race([line, closed.then(() => undefined)])
  if (first !== undefined) {
    return {
      ...addressOf(JSON.parse(first)),
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGTERM')
        await closed
      },
    }
  }
  if (child.exitCode === skipCode) return { skipped: printed.trim() }
  throw new Error(`lanes/${name}/start ended with ${child.exitCode ?? child.signalCode}:\n${printed}`)
}
