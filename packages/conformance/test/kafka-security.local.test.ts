import { readFileSync } from 'node:fs'
import { startLocalStack } from '@stockpipe/local'
import { describeKafkaSecurity } from '../src/index.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../local/test/kafka/fixtures/localhost.${name}.pem`, import.meta.url), 'utf8')

describeKafkaSecurity('the local stack', async () => {
  const [key, cert] = [fixture('key'), fixture('cert')]
  const user = { name: 'dev', password: 'dev-secret' }
  // Each has one listener of Kafka.
  const start = (options: Parameters<typeof startLocalStack>[0]) =>
    startLocalStack({ httpPort: 0, kafkaPort: 0, kafkaAutoCreateTopics: false, ...options })
  const stacks = await Promise.all([
    start({ kafkaUsers: [user] }),
    start({ kafkaUsers: [user], kafkaTls: { key, cert } }),
    start({ kafkaTls: { key, cert, ca: cert, requestClientCertificate: true } }),
  ])
  return {
    saslPlaintextBrokers: stacks[0].kafka.brokers,
    saslTlsBrokers: stacks[1].kafka.brokers,
    mutualTlsBrokers: stacks[2].kafka.brokers,
    user,
    ca: cert,
    client: { key, cert },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(stacks.map((stack) => stack.close()))
    },
  }
})
