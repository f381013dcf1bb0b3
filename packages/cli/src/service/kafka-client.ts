import type { Kafka, KafkaConfig } from 'kafkajs'
import type { SinkConfig } from '../sink-config.ts'
import type { ServiceLog } from './service-log.ts'

/** The client the configuration gives, or one made from its settings that logs warnings into the service's lines. */
export const kafkaClient = async (given: SinkConfig['kafka'], log: ServiceLog): Promise<Kafka> => {
  if (isClient(given)) return given
  const { Kafka, logLevel } = await import('kafkajs')
  return new Kafka({
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ level, namespace, log: { message } }) =>
        level === logLevel.ERROR
          ? log.error(`Kafka: ${message}`, { namespace })
          : log.warn(`Kafka: ${message}`, { namespace }),
    ...given,
  })
}

/** True for a client, false for what one is made with. */
export const isClient = (given: Kafka | KafkaConfig): given is Kafka =>
  typeof (given as Partial<Kafka>).consumer === 'function'
