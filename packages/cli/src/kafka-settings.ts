import { readFileSync } from 'node:fs'
import { ConfigurationError } from '@stockpipe/core'
import type { KafkaConfig, SASLOptions } from 'kafkajs'
import type { CommandIO } from './command.ts'

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

/** For the help of commands that reach Kafka. */
export const kafkaVariables =
  'KAFKA_BROKERS, KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_SASL_MECHANISM (default scram-sha-512), KAFKA_SSL=true, KAFKA_CA_FILE'

/**
 * What a Kafka client is made with.
 *
 * @param brokers `host:port,host:port`, in place of KAFKA_BROKERS
 * Throws a `ConfigurationError` when it is not said where Kafka is, or the variables contradict each other.
 */
export const kafkaSettings = (brokers: string | undefined, env: CommandIO['env']): KafkaConfig => {
  const list = (brokers ?? env['KAFKA_BROKERS'] ?? '').split(',').filter((broker) => broker !== '')
  if (list.length === 0 || !list.every((broker) => /^[^\s:]+:\d+$|^\[[^\s\]]+\]:\d+$/.test(broker))) {
    throw refusal('It is not said where Kafka is: give --brokers HOST:PORT,… or set KAFKA_BROKERS.')
  }
  const sasl = saslOf(env)
  const caFile = env['KAFKA_CA_FILE']
  const ssl = caFile ? { ca: certificates(caFile) } : env['KAFKA_SSL'] === 'true'
  return { clientId: 'stockpipe', brokers: list, ...(ssl ? { ssl } : {}), ...(sasl ? { sasl } : {}) }
}

const saslOf = (env: CommandIO['env']): SASLOptions | undefined => {
  const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = env
  if (!username && !password) return undefined
  if (!username || !password)
    throw refusal('KAFKA_USERNAME and KAFKA_PASSWORD go together; set both or none.')
  const wanted = env['KAFKA_SASL_MECHANISM']?.toLowerCase() || 'scram-sha-512'
  const mechanism = mechanisms.find((one) => one === wanted)
  if (!mechanism) throw refusal(`KAFKA_SASL_MECHANISM is ${mechanisms.join(', ')}, not "${wanted}".`)
  return { mechanism, username, password } as SASLOptions
}

const certificates = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw refusal(`KAFKA_CA_FILE ${file} cannot be read: ${(cause as Error).message}.`)
  }
}

const refusal = (message: string): ConfigurationError =>
  new ConfigurationError({ code: 'KAFKA_SETTINGS_MISSING', message })
