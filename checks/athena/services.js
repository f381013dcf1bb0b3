import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack } from '../stack/stack-process.js'
import { awsClients } from './aws-clients.js'
import { goldenDatabase, putGoldenTables } from './golden-tables.js'
import { startTrino } from './start-trino.js'

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
    const judge = await startTrino(stack.aws, goldenDatabase, 'trades')
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
