import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipCode } from '../lanes/lane.js'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'

// Clients that are not ours, from another language, use `stockpipe local` in a process of its own: confluent-kafka
// (librdkafka), boto3 (S3 and Glue) and pyarrow, which also reads nested columns the sink wrote. librdkafka also meets brokers with users and TLS. With `--real` the same Kafka cases run against Apache Kafka, to prove the cases.
const isReal = process.argv.includes('--real')
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-foreign-clients-'))
const running = new Set()

/** Starts a program whose first line of output `line` resolves with; `ended` tells how it ended. */
const start = (command, commandArguments, { onText = () => {} } = {}) => {
  const child = spawn(command, commandArguments, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
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
const address = async (what, program) => {
  const answer = await Promise.race([program.line, program.ended])
  if (typeof answer === 'string') return JSON.parse(answer)
  if (answer.code !== skipCode) throw new Error(`${what} ended with ${answer.code}\n${answer.output}`)
  console.log(`skipped: ${what}: ${answer.output.trim()}`)
  return undefined
}

/** Runs a file of cases and counts them by their client. */
const runCases = async (python, file, addresses, against) => {
  const begun = performance.now()
  const program = join(root, 'lanes', 'clients', file)
  const cases = start(python, ['-B', program, JSON.stringify(addresses)], {
    onText: (chunk) => process.stdout.write(chunk),
  })
  const { code, printed } = await cases.ended
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  if (code !== 0) throw new Error(`${file} ended with ${code} against ${against}`)
  const clients = [...printed.matchAll(/^ok (boto3|pyarrow)?/gm)].map(([, name]) => name ?? 'confluent-kafka')
  for (const client of new Set(clients)) {
    const count = clients.filter((name) => name === client).length
    console.log(`figure: ${count} cases by ${client} against ${against}, 0 failed`)
  }
  console.log(`figure: ${file} took ${seconds} s`)
}

const startService = () => {
  // The clients do not wait for more members than there are.
  if (isReal) return start(process.execPath, ['lanes/kafka/start', 'group.initial.rebalance.delay.ms=0'])
  return startLocal('--data-dir', dataDir)
}

const startLocal = (...options) => {
  const ports = ['--kafka-port', '0', '--http-port', '0']
  return start(process.execPath, ['packages/cli/dist/stockpipe.js', 'local', ...ports, ...options])
}

/** Three stacks whose Kafka asks who its clients are, in the shape of the Kafka lane's `security`. */
const startSecure = async () => {
  const file = (name) => join(root, 'packages/local/test/kafka/fixtures', `localhost.${name}.pem`)
  const user = { name: 'dev', password: randomBytes(12).toString('hex') }
  const users = ['--kafka-user', `${user.name}=${user.password}`]
  const tls = ['--kafka-tls-cert', file('cert'), '--kafka-tls-key', file('key')]
  const services = [users, [...users, ...tls], [...tls, '--kafka-tls-client-ca', file('cert')]].map(
    (options) => startLocal(...options),
  )
  const [saslPlaintextBrokers, saslTlsBrokers, mutualTlsBrokers] = await Promise.all(
    services.map(async (service) => (await address('stockpipe local', service)).kafka.brokers),
  )
  const [key, cert] = ['key', 'cert'].map((name) => readFileSync(file(name), 'utf8'))
  const security = {
    saslPlaintextBrokers,
    saslTlsBrokers,
    mutualTlsBrokers,
    user,
    ca: cert,
    client: { key, cert },
  }
  return { services, addresses: { kafka: { security } } }
}

const endService = async (what, service) => {
  service.kill('SIGTERM')
  const { code, output } = await service.ended
  if (code !== 0) throw new Error(`SIGTERM ended ${what} with ${code}, not 0\n${output}`)
}

try {
  const clients = await address('other clients', start(process.execPath, ['lanes/clients/start']))
  if (clients !== undefined) {
    if (!isReal) {
      await install('all')
      await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
    }
    const what = isReal ? 'Apache Kafka' : 'stockpipe local'
    const service = startService()
    const addresses = await address(what, service)
    if (addresses !== undefined) {
      await runCases(clients.python, 'kafka.py', addresses, what)
      if (!isReal) {
        await runCases(clients.python, 's3.py', addresses, what)
        await runCases(clients.python, 'glue.py', addresses, what)
        const { writeNestedOrders } = await import('./clients/nested-orders.js')
        await writeNestedOrders(addresses.aws, 5000)
        await runCases(clients.python, 'nested.py', addresses, what)
      }
      const secure = isReal ? { services: [], addresses } : await startSecure()
      await runCases(clients.python, 'kafka_security.py', secure.addresses, `${what} with users and TLS`)
      for (const each of [service, ...secure.services]) await endService(what, each)
    }
  }
} finally {
  // Only after a failure is anything left here.
  const ended = [...running].map((child) => new Promise((resolve) => child.on('close', resolve)))
  for (const child of running) child.kill('SIGTERM')
  await Promise.all(ended)
  rmSync(dataDir, { recursive: true, force: true })
}
