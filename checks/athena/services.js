import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipCode } from '../../lanes/lane.js'
import { root } from '../../scripts/workspace.js'
import { startStack, within } from '../stack/stack-process.js'
import { askTrino } from './ask-trino.js'
import { awsClients } from './aws-clients.js'
import { goldenDatabase, putGoldenTables } from './golden-tables.js'

/** Trino over a stack's catalog and files; undefined, with a `skipped:` line, where this machine lacks what it needs. */
const startTrino = async ({ endpoint, region, accessKeyId, secretAccessKey }) => {
  const endpoints = ['--glue-endpoint', endpoint, '--s3-endpoint', endpoint, '--region', region]
  const access = ['--access-key', accessKeyId, '--secret-key', secretAccessKey]
  const lane = spawn(process.execPath, [join(root, 'lanes/trino/start'), ...endpoints, ...access], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  let errorText = ''
  lane.stderr.on('data', (chunk) => {
    errorText = (errorText + chunk).slice(-20_000)
  })
  const ended = new Promise((resolve) => lane.on('close', (code, signal) => resolve(code ?? signal)))
  const close = async () => {
    lane.kill('SIGTERM')
    const code = await within(ended, 30_000, 'the end of Trino')
    if (code !== 0) throw new Error(`the Trino lane ended with ${code}\n${errorText}`)
  }
  const line = new Promise((resolve) => {
    lane.stdout.on('data', (chunk) => {
      printed += chunk
      if (printed.includes('\n')) resolve(printed.slice(0, printed.indexOf('\n')))
    })
  })
  const answer = await Promise.race([line, ended])
  if (answer === skipCode) {
    console.log(`skipped: Trino: ${errorText.trim()}`)
    return undefined
  }
  if (typeof answer !== 'string' || !answer.startsWith('{')) {
    throw new Error(`the Trino lane ended with ${answer}\n${errorText}`)
  }
  const { trino } = JSON.parse(answer)
  try {
    // It says that it has started before it knows itself as a worker.
    for (let tries = 0; ; tries++) {
      const { error } = await askTrino(trino, goldenDatabase, 'SELECT count(*) FROM trades')
      if (error === undefined) break
      if (tries === 60) throw new Error(`Trino answers no query: ${error.name}: ${error.message}`)
      await sleep(500)
    }
  } catch (error) {
    await close()
    throw error
  }
  return { trino, close }
}

/**
 * `stockpipe local` with the golden tables, and Trino over its catalog and files; undefined where this machine cannot
 * have Trino.
 */
export const startServices = async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-athena-judge-'))
  const stack = await startStack({ dataDir, kafkaPort: 0, httpPort: 0 })
  const clients = awsClients(stack.aws)
  const endStack = async () => {
    clients.destroy()
    const { code, signal, errorText } = await stack.end('SIGTERM')
    rmSync(dataDir, { recursive: true, force: true })
    if (code !== 0)
      throw new Error(`SIGTERM ended stockpipe local with ${code ?? signal}, not 0\n${errorText}`)
  }
  try {
    await putGoldenTables(clients)
    const judge = await startTrino(stack.aws)
    if (judge === undefined) {
      await endStack()
      return undefined
    }
    const close = async () => {
      await judge.close()
      await endStack()
    }
    return { athena: clients.athena, trino: judge.trino, close }
  } catch (error) {
    await endStack()
    throw error
  }
}
