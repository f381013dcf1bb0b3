import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildFast, install, packageFolders, root } from '../scripts/workspace.js'
import { address, endAll, endService, runCases, start, startLocal } from './clients/programs.js'

// Clients that are not ours, from another language, use `stockpipe local` in a process of its own: confluent-kafka
// (librdkafka), boto3 (S3 and Glue) and pyarrow, which also reads nested columns the sink wrote. librdkafka also meets brokers with users and TLS. With `--real` the same Kafka cases run against Apache Kafka, to prove the cases.
const isReal = process.argv.includes('--real')
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-foreign-clients-'))
const startService = () => {
  // The clients do not wait for more members than there are.
  if (isReal) return start(process.execPath, ['lanes/kafka/start', 'group.initial.rebalance.delay.ms=0'])
  return startLocal(['--data-dir', dataDir])
}

/** Three stacks whose Kafka asks who its clients are, in the shape of the Kafka lane's `security`. */
const startSecure = async () => {
  const file = (name) => join(root, 'packages/local/test/kafka/fixtures', `localhost.${name}.pem`)
  const user = { name: 'dev', password: randomBytes(12).toString('hex') }
  const users = ['--kafka-user', `${user.name}=${user.password}`]
  const tls = ['--kafka-tls-cert', file('cert'), '--kafka-tls-key', file('key')]
  const services = [users, [...users, ...tls], [...tls, '--kafka-tls-client-ca', file('cert')]].map(
    (options) => startLocal(options),
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
  await endAll()
  rmSync(dataDir, { recursive: true, force: true })
}
