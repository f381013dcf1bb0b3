import { expect, it } from 'vitest'
import { CaseCluster, type KafkaJsError, type KafkaSecurity, refusal } from './case-cluster.ts'
import { type KafkaSecuritySubject, mechanisms, saslOf } from './describe-kafka-security.ts'

/** How kafkajs, which tries once more, fails to connect and to ask for the topics. */
const refused = async (brokers: string[], security: KafkaSecurity): Promise<KafkaJsError> => {
  const cluster = new CaseCluster({ brokers }, security)
  try {
    return await refusal(
      (async () => {
        const admin = await cluster.admin(1)
        return await admin.listTopics()
      })(),
    )
  } finally {
    await cluster.close()
  }
}

/** Clients whose credentials do not fit, or that bring none. */
export const refusedClientCases = (subject: () => KafkaSecuritySubject): void => {
  for (const mechanism of mechanisms) {
    it(`a wrong password by ${mechanism} over TLS is KafkaJSSASLAuthenticationError, not retriable`, async () => {
      const { saslTlsBrokers, ca, user } = subject()
      const sasl = saslOf(mechanism, { ...user, password: `${user.password}-wrong` })
      const error = await refused(saslTlsBrokers, { ssl: { ca }, sasl })
      expect(error).toMatchObject({ name: 'KafkaJSSASLAuthenticationError', retriable: false })
    })

    it(`an unknown user by ${mechanism} is told no more than one with a wrong password`, async () => {
      const { saslPlaintextBrokers, user } = subject()
      const messages = []
      for (const credentials of [
        { ...user, name: 'nobody' },
        { ...user, password: 'wrong' },
      ]) {
        const error = await refused(saslPlaintextBrokers, { sasl: saslOf(mechanism, credentials) })
        expect(error).toMatchObject({ name: 'KafkaJSSASLAuthenticationError', retriable: false })
        messages.push(error.message)
      }
      expect(messages[0]).toBe(messages[1])
    })
  }

  it('a client that does not know who signed ends with "self-signed certificate"', async () => {
    const { saslTlsBrokers, user } = subject()
    const error = await refused(saslTlsBrokers, { ssl: true, sasl: saslOf('plain', user) })
    expect(error.name).toBe('KafkaJSNumberOfRetriesExceeded')
    expect(error.message).toContain('self-signed certificate')
  })

  it('no SASL where it is asked for closes the connection, and nothing says why', async () => {
    const { saslPlaintextBrokers, saslTlsBrokers, ca } = subject()
    for (const error of [
      await refused(saslPlaintextBrokers, {}),
      await refused(saslTlsBrokers, { ssl: { ca } }),
    ]) {
      expect(error.cause ?? error).toMatchObject({ name: 'KafkaJSConnectionClosedError' })
      expect(error.message).toContain('Closed connection')
    }
  })

  it('plaintext where TLS is spoken closes the connection, and nothing says why', async () => {
    const { saslTlsBrokers, mutualTlsBrokers, user } = subject()
    for (const error of [
      await refused(saslTlsBrokers, { sasl: saslOf('plain', user) }),
      await refused(mutualTlsBrokers, {}),
    ]) {
      expect(error.cause ?? error).toMatchObject({ name: 'KafkaJSConnectionClosedError' })
      expect(error.message).toContain('Closed connection')
    }
  })

  it('TLS where plaintext is spoken closes the connection', async () => {
    const { saslPlaintextBrokers, ca, user } = subject()
    const error = await refused(saslPlaintextBrokers, { ssl: { ca }, sasl: saslOf('plain', user) })
    expect(error).toMatchObject({ name: 'KafkaJSNumberOfRetriesExceeded' })
  })

  it('no certificate where one is asked for ends with an alert about it', async () => {
    const { mutualTlsBrokers, ca } = subject()
    const error = await refused(mutualTlsBrokers, { ssl: { ca } })
    expect(error.message).toMatch(/alert (bad )?certificate/)
  })
}
