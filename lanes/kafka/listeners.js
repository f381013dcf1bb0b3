import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../lane.js'

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']
const days = ['-days', '2']

/** An authority that signs a certificate of the broker, for `localhost`, and one of a client. */
const makeCertificates = async (lane, folder) => {
  const file = (name) => join(folder, name)
  const newKey = ['-newkey', 'rsa:2048', '-nodes']
  const authority = ['-keyout', file('ca.key'), '-out', file('ca.pem'), '-subj', '/CN=stockpipe lane']
  await lane.run('openssl', ['req', '-x509', ...newKey, ...authority, ...days])
  writeFileSync(file('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  for (const name of ['broker', 'client']) {
    const subject = ['-subj', name === 'broker' ? '/CN=localhost' : '/CN=client']
    const request = ['-keyout', file(`${name}.key`), '-out', file(`${name}.csr`)]
    await lane.run('openssl', ['req', ...newKey, ...request, ...subject])
    const signing = [
      '-CA',
      file('ca.pem'),
      '-CAkey',
      file('ca.key'),
      '-CAcreateserial',
      '-extfile',
      file('names'),
    ]
    const answer = ['-in', file(`${name}.csr`), '-out', file(`${name}.pem`)]
    await lane.run('openssl', ['x509', '-req', ...answer, ...signing, ...days])
  }
  const text = (name) => readFileSync(file(name), 'utf8')
  writeFileSync(file('keystore.pem'), ['broker.key', 'broker.pem', 'ca.pem'].map(text).join(''))
  return { ca: text('ca.pem'), client: { key: text('client.key'), cert: text('client.pem') } }
}

/**
 * The listeners of the broker: plaintext, SASL over plaintext, SASL over TLS, and TLS that asks for the client's certificate.
 * Answers the properties that make them, the users `kafka.tools.StorageTool format` adds, and what clients need.
 */
export const makeListeners = async (lane, folder) => {
  const { ca, client } = await makeCertificates(lane, folder)
  const user = { name: 'dev', password: randomBytes(12).toString('hex') }
  // Certificates are made for names.
  const hosts = {
    PLAINTEXT: '127.0.0.1',
    SASL_PLAINTEXT: '127.0.0.1',
    SASL_SSL: 'localhost',
    SSL: 'localhost',
  }
  const ports = {}
  for (const name of Object.keys(hosts)) ports[name] = await freePort()
  const named = (host) => Object.keys(hosts).map((name) => `${name}://${host(name)}:${ports[name]}`)
  const path = (name) => join(folder, name).replaceAll('\\', '/')
  const logins = ['SASL_PLAINTEXT', 'SASL_SSL'].flatMap((listener) =>
    mechanisms.map((mechanism) => {
      const isPlain = mechanism === 'PLAIN'
      const module = isPlain ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule'
      const users = isPlain ? ` user_${user.name}="${user.password}"` : ''
      const name = `listener.name.${listener.toLowerCase()}.${mechanism.toLowerCase()}.sasl.jaas.config`
      return [name, `org.apache.kafka.common.security.${module} required${users};`]
    }),
  )
  return {
    port: ports.PLAINTEXT,
    listeners: named(() => '127.0.0.1'),
    properties: {
      'advertised.listeners': named((name) => hosts[name]).join(','),
      'listener.security.protocol.map': [
        'CONTROLLER:PLAINTEXT',
        ...Object.keys(hosts).map((name) => `${name}:${name}`),
      ].join(','),
      'inter.broker.listener.name': 'PLAINTEXT',
      'sasl.enabled.mechanisms': mechanisms.join(','),
      ...Object.fromEntries(logins),
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': path('keystore.pem'),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': path('ca.pem'),
      'listener.name.ssl.ssl.client.auth': 'required',
    },
    formatArguments: mechanisms
      .filter((mechanism) => mechanism !== 'PLAIN')
      .flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${user.name},password=${user.password}]`]),
    address: {
      brokers: [`127.0.0.1:${ports.PLAINTEXT}`],
      security: {
        saslPlaintextBrokers: [`127.0.0.1:${ports.SASL_PLAINTEXT}`],
        saslTlsBrokers: [`localhost:${ports.SASL_SSL}`],
        mutualTlsBrokers: [`localhost:${ports.SSL}`],
        user,
        ca,
        client,
      },
    },
  }
}
