import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { skipCode } from '../../lanes/lane.js'
import { root } from '../../scripts/workspace.js'

const running = new Set()

/** Starts a program whose first line of output `line` resolves with; `ended` tells how it ended. */
export const start = (command, commandArguments, { onText = () => {}, env = process.env } = {}) => {
  const child = spawn(command, commandArguments, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  let output = ''
  const line = new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      printed += chunk
      if (printed.includes('\n')) resolve(printed.slice(0, printed.indexOf('\n')))
    })
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
      onText(chunk)
    })
  }
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      running.delete(child)
      resolve({ code: code ?? signal, output, printed })
    })
  })
  running.add(child)
  return { line, ended, kill: (signal) => child.kill(signal) }
}

/** The first line of a lane or service as JSON; undefined, with a `skipped:` line, where the machine lacks what it needs. */
export const address = async (what, program) => {
  const answer = await Promise.race([program.line, program.ended])
  if (typeof answer === 'string') return JSON.parse(answer)
  if (answer.code !== skipCode) throw new Error(`${what} ended with ${answer.code}\n${answer.output}`)
  console.log(`skipped: ${what}: ${answer.output.trim()}`)
  return undefined
}

/** Runs a file of cases, or those whose name holds `wanted`, and counts them by their client. */
export const runCases = async (python, file, addresses, against, wanted = '') => {
  const begun = performance.now()
  const program = join(root, 'lanes', 'clients', file)
  const cases = start(python, ['-B', program, JSON.stringify(addresses), wanted], {
    onText: (chunk) => process.stdout.write(chunk),
  })
  const { code, printed } = await cases.ended
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  if (code !== 0) throw new Error(`${file} ended with ${code} against ${against}`)
  const clients = [...printed.matchAll(/^ok (boto3|pyarrow|PyAthena|awswrangler|Spark)?/gm)].map(
    ([, name]) => name ?? 'confluent-kafka',
  )
  for (const client of new Set(clients)) {
    const count = clients.filter((name) => name === client).length
    console.log(`figure: ${count} cases by ${client} against ${against}, 0 failed`)
  }
  console.log(`figure: ${file} took ${seconds} s`)
}

/** `stockpipe local` on free ports. */
export const startLocal = (options, settings) => {
  const ports = ['--kafka-port', '0', '--http-port', '0']
  const program = ['packages/cli/dist/stockpipe.js', 'local', ...ports, ...options]
  return start(process.execPath, program, settings)
}

export const endService = async (what, service) => {
  service.kill('SIGTERM')
  const { code, output } = await service.ended
  if (code !== 0) throw new Error(`SIGTERM ended ${what} with ${code}, not 0\n${output}`)
}

/** Ends what is left after a failure. */
export const endAll = async () => {
  const ended = [...running].map((child) => new Promise((resolve) => child.on('close', resolve)))
  for (const child of running) child.kill('SIGTERM')
  await Promise.all(ended)
}
