import { type ErrorFacts, StockpipeError } from '@stockpipe/core'

interface KafkajsError {
  readonly name?: string
  readonly message?: string
  readonly type?: string
  readonly retriable?: boolean
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
}

/** The error at the bottom: kafkajs wraps what a broker answered in what it did about it. */
const rootOf = (error: unknown): KafkajsError => {
  let root = (error ?? {}) as KafkajsError
  for (let depth = 0; depth < 10; depth++) {
    const beneath = root.errors?.[0] ?? root.cause
    if (typeof beneath !== 'object' || beneath === null) break
    root = beneath as KafkajsError
  }
  return root
}

/** The broker's error name, such as `INVALID_PARTITIONS`, when a broker answered one. */
export const brokerErrorOf = (error: unknown): string | undefined => {
  const { type } = rootOf(error)
  return type
}

/** What no later attempt can change: a lack of rights, or a mistake in the program. */
export const isFinal = (error: unknown): boolean => {
  if (StockpipeError.isInstance(error)) return !error.retryable
  const root = rootOf(error)
  return (
    root.type?.endsWith('AUTHORIZATION_FAILED') === true ||
    root.name === 'KafkaJSSASLAuthenticationError' ||
    root instanceof TypeError
  )
}

const remedies: Record<string, string> = {
  KafkaJSConnectionError: 'check the broker addresses, the network, and TLS settings',
  KafkaJSConnectionClosedError:
    'the broker closed the connection: check that SASL and TLS settings match its listener',
  KafkaJSSASLAuthenticationError: 'check the user name and password',
  KafkaJSRequestTimeoutError: 'the broker did not answer in time',
  KafkaJSBrokerNotFound: 'check the broker addresses',
  INVALID_REPLICATION_FACTOR: 'there are fewer brokers than replicas asked for',
  TOPIC_AUTHORIZATION_FAILED: 'the user may not do this on the topic',
  GROUP_AUTHORIZATION_FAILED: 'the user may not use this consumer group',
  CLUSTER_AUTHORIZATION_FAILED: 'the user may not do this on the cluster',
  MESSAGE_TOO_LARGE: 'the batch is larger than message.max.bytes of broker or topic: lower batchBytes',
  UNKNOWN_TOPIC_OR_PARTITION: 'the topic or partition does not exist: create it with ensureTopics',
}

/** A failure of kafkajs or of a broker as a `StockpipeError`; one that already is stays as it is. */
export const kafkaFailure = (
  error: unknown,
  what: {
    readonly code: string
    /** What was done, such as `creating topic trades`. */
    readonly doing: string
    /** Whether the failure passes, unless it is one that cannot. */
    readonly retryable?: boolean
    readonly facts?: ErrorFacts
  },
): StockpipeError => {
  if (StockpipeError.isInstance(error)) return error
  const root = rootOf(error)
  const remedy = remedies[root.type ?? root.name ?? '']
  return new StockpipeError({
    code: what.code,
    message: `Kafka failed ${what.doing}: ${root.message ?? String(error)}${remedy ? `; ${remedy}` : ''}.`,
    retryable: what.retryable === true && !isFinal(error),
    cause: error,
    facts: { ...what.facts, kafkaError: root.type ?? root.name },
  })
}
