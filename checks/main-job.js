import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../scripts/workspace.js'

// The main job, as a user meets it: `npm start` afresh, twice, with its data directory removed, with port 9092 taken,
// interrupted, and killed with -9 on the way. It checks its own rows, so its exit code is the verdict.
const full = process.argv[2] === 'full'
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-main-job-'))
const memoryLimitMegabytes = 600

/** Starts the job; `onOutput` sees everything it prints. */
const start = (onOutput = () => {}) => {
  const begun = performance.now()
  const child = spawn('npm', ['start', '--silent'], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, STOCKPIPE_DATA_DIR: dataDir },
  })
  let output = ''
  const listen = (chunk) => {
    output += chunk
    onOutput(output)
  }
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  // `close` comes when the last process that shares these pipes has ended, not when npm has.
  const ended = new Promise((resolve) =>
    child.on('close', (code, signal) =>
      resolve({ code, signal, output, seconds: (performance.now() - begun) / 1000 }),
    ),
  )
  return {
    ended,
    /** Reaches npm and all it started. */
    kill: (signal) => {
      try {
        process.kill(-child.pid, signal)
      } catch {}
    },
  }
}

const answers = [
  'Daily bars rebuilt',
  '20-day moving average',
  'Best and worst day',
  'Volume-weighted',
  'Rows per ticker and year',
]

const expectSuccess = (what, { code, signal, output, seconds }) => {
  const missing = answers.filter((answer) => !output.includes(answer))
  const memory = Number(/peak memory (\d+) MB/.exec(output)?.[1])
  const faults = []
  if (code !== 0) faults.push(`it ended with ${code ?? signal}`)
  if (missing.length > 0) faults.push(`it did not print: ${missing.join(', ')}`)
  if (!(memory < memoryLimitMegabytes))
    faults.push(`its peak memory was ${memory} MB, not below ${memoryLimitMegabytes}`)
  if (faults.length > 0) throw new Error(`${what}: ${faults.join('; ')}\n${output}`)
  console.log(`figure: ${what}: ${seconds.toFixed(1)} s, peak memory ${memory} MB`)
  return seconds
}

/** An installed start within 20 s: the faster of two counts, since the machine's noise is larger than the margin. */
const expectQuick = async (what, prepare) => {
  prepare()
  const first = expectSuccess(what, await start().ended)
  if (first <= 20) return first
  prepare()
  const second = expectSuccess(`${what}, once more`, await start().ended)
  if (second > 20) throw new Error(`${what} took ${first.toFixed(1)} s and ${second.toFixed(1)} s, not 20`)
  return second
}

const removeData = () => rmSync(dataDir, { recursive: true, force: true })

try {
  removeData()
  expectSuccess('first start', await start().ended)
  await expectQuick('second start', () => {})

  const blocker = createServer().listen(9092, '127.0.0.1')
  await new Promise((resolve) => blocker.once('listening', resolve).once('error', resolve))
  const afresh = await expectQuick('without its data directory, port 9092 taken', removeData)
  blocker.close()

  // Killed at moments spread over the run; each time the next start must end well with every row there once.
  const kills = full ? 12 : 3
  for (let kill = 1; kill <= kills; kill++) {
    if (kill % 3 === 1) removeData()
    const job = start()
    const delaySeconds = 1 + ((afresh - 2) * (kill - 0.5)) / kills
    const timer = setTimeout(() => job.kill('SIGKILL'), delaySeconds * 1000)
    const { signal } = await job.ended
    clearTimeout(timer)
    if (signal !== 'SIGKILL') console.log(`figure: run ${kill} had ended before its kill`)
    expectSuccess(`started again after kill -9 at ${delaySeconds.toFixed(1)} s`, await start().ended)
  }

  for (const delaySeconds of full ? [0.7, 1.5, 2.5, 3.5, 5, 7] : [1.5, 4]) {
    removeData()
    const job = start()
    let interruptedAt = 0
    const timer = setTimeout(() => {
      interruptedAt = performance.now()
      job.kill('SIGINT')
    }, delaySeconds * 1000)
    const { code, signal, output } = await job.ended
    clearTimeout(timer)
    const seconds = (performance.now() - interruptedAt) / 1000
    if (interruptedAt > 0 && seconds > 5)
      throw new Error(`Ctrl-C at ${delaySeconds} s took ${seconds.toFixed(1)} s\n${output}`)
    if (interruptedAt > 0 && !/Stopping; what is published stays/.test(output) && delaySeconds > 3) {
      throw new Error(`Ctrl-C at ${delaySeconds} s was not noticed by the job\n${output}`)
    }
    if (/\n\s+at /.test(output)) throw new Error(`Ctrl-C at ${delaySeconds} s printed a stack\n${output}`)
    console.log(
      `figure: Ctrl-C at ${delaySeconds} s: ended with ${code ?? signal} after ${seconds.toFixed(1)} s`,
    )
    expectSuccess('started again after Ctrl-C', await start().ended)
  }
} finally {
  removeData()
}
