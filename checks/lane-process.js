import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { skipCode } from '../lanes/lane.js'
import { root } from '../scripts/workspace.js'
import { within } from './stack/stack-process.js'

/**
 * A lane as a process: the line of JSON it prints when it is ready, and `close`. Undefined, with a `skipped:` line, where
 * this machine lacks what it needs.
 */
export const startLane = async (name, laneArguments = []) => {
  const lane = spawn(process.execPath, [join(root, 'lanes', name, 'start'), ...laneArguments], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  let errorText = ''
  lane.stderr.on('data', (chunk) => {
    errorText = (errorText + chunk).slice(-20_000)
  })
  const ended = new Promise((resolve) => lane.on('close', (code, signal) => resolve(code ?? signal)))
  const line = new Promise((resolve) => {
    lane.stdout.on('data', (chunk) => {
      printed += chunk
      if (printed.includes('\n')) resolve(printed.slice(0, printed.indexOf('\n')))
    })
  })
  const answer = await Promise.race([line, ended])
  if (answer === skipCode) {
    console.log(`skipped: ${name}: ${errorText.trim()}`)
    return undefined
  }
  if (typeof answer !== 'string' || !answer.startsWith('{')) {
    throw new Error(`the lane of ${name} ended with ${answer}\n${errorText}`)
  }
  return {
    address: JSON.parse(answer),
    async close() {
      lane.kill('SIGTERM')
      const code = await within(ended, 30_000, `the end of ${name}`)
      if (code !== 0) throw new Error(`the lane of ${name} ended with ${code}\n${errorText}`)
    },
  }
}
