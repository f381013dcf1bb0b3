import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { root } from '../../scripts/workspace.js'

const readyBoundMillis = 60_000

/** Rejects with `what` when `promise` takes longer than a bound that no working stack comes near. */
export const within = (promise, millis, what) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${millis} ms`)), millis)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** A port below those the kernel gives to clients, so that nobody takes it while the stack is down. */
export const freePort = async () => {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000)
    if (await isFree(port)) return port
  }
}

/** `stockpipe local` in a process of its own; resolves when it has said that it is ready. */
export const startStack = async ({ dataDir, kafkaPort, httpPort, cwd, env, flags = [] }) => {
  const begun = performance.now()
  const child = spawn(
    process.execPath,
    [
      join(root, 'packages/cli/dist/stockpipe.js'),
      'local',
      '--data-dir',
      dataDir,
      '--kafka-port',
      String(kafkaPort),
      '--http-port',
      String(httpPort),
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd, env: { ...process.env, ...env } },
  )
  let errorText = ''
  child.stderr.on('data', (chunk) => {
    errorText = (errorText + chunk).slice(-20_000)
  })
  const exited = new Promise((resolve) =>
    child.on('exit', (code, signal) => resolve({ code, signal, errorText })),
  )
  const line = new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    void exited.then(({ code, signal }) =>
      reject(new Error(`stockpipe local ended with ${code ?? signal} before it was ready:\n${errorText}`)),
    )
  })
  try {
    const { kafka, aws } = JSON.parse(await within(line, readyBoundMillis, 'the start of stockpipe local'))
    return {
      kafka,
      aws,
      pid: child.pid,
      readyMillis: performance.now() - begun,
      exited,
      /** False once the process has ended, for whatever reason. */
      isAlive: () => child.exitCode === null && child.signalCode === null,
      errorText: () => errorText,
      /** Sends a signal and waits for the end. */
      end: (signal) => {
        child.kill(signal)
        return within(exited, 30_000, `the end after ${signal}`)
      },
    }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}
