import { type BrokerServices, brokerNodeId } from '../broker-services.ts'
import type { Handlers } from '../network/dispatcher.ts'
import type { ResponseOf } from '../protocol/api-table.ts'
import { RefusedRequestError } from '../protocol/error-code.ts'
import { brokerConfigNames } from '../topics/broker-config-names.ts'
import { outcomeOf } from './topic-handlers.ts'

const resourceTypes = { topic: 2, broker: 4 } as const
const configSources = { topic: 1, staticBroker: 4, fallback: 5 } as const
const alterOperations = { set: 0, delete: 1 } as const

type ConfigDescriptions = ResponseOf<'describeConfigs'>['resources'][number]['configs']

/** DescribeConfigs, AlterConfigs and IncrementalAlterConfigs. */
export const configHandlers = (
  broker: BrokerServices,
): Pick<Handlers, 'describeConfigs' | 'alterConfigs' | 'incrementalAlterConfigs'> => ({
  describeConfigs: (request) => ({
    resources: request.resources.map(({ resourceType, resourceName, configNames }) => {
      let configs: ConfigDescriptions = []
      const outcome = outcomeOf(() => {
        configs = describe(broker, resourceType, resourceName, configNames, request.includeSynonyms)
      })
      return { ...outcome, resourceType, resourceName, configs }
    }),
  }),

  alterConfigs: (request) => ({
    resources: request.resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      ...outcomeOf(() => {
        checkAlterable(resourceType)
        const overrides = Object.fromEntries(configs.map(({ name, value }) => [name, value]))
        broker.topics.configure(resourceName, overrides, request.validateOnly)
      }),
    })),
  }),

  incrementalAlterConfigs: (request) => ({
    resources: request.resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      ...outcomeOf(() => {
        checkAlterable(resourceType)
        const overrides: Record<string, string | null> = {
          ...broker.topics.get(resourceName)?.config.overrides,
        }
        for (const { name, operation, value } of configs) {
          if (operation === alterOperations.set) overrides[name] = value
          else if (operation === alterOperations.delete) delete overrides[name]
          else
            throw new RefusedRequestError('INVALID_CONFIG', `Configuration ${name.slice(0, 200)} is no list.`)
        }
        broker.topics.configure(resourceName, overrides, request.validateOnly)
      }),
    })),
  }),
})

const checkAlterable = (resourceType: number): void => {
  if (resourceType === resourceTypes.topic) return
  throw new RefusedRequestError(
    'INVALID_REQUEST',
    'The embedded broker changes configurations of topics only (resource type 2).',
  )
}

const describe = (
  broker: BrokerServices,
  resourceType: number,
  resourceName: string,
  names: readonly string[] | null,
  includesSynonyms: boolean,
): ConfigDescriptions => {
  if (resourceType === resourceTypes.broker) return describeBroker(broker, resourceName, names)
  if (resourceType !== resourceTypes.topic) {
    throw new RefusedRequestError('INVALID_REQUEST', `Resource type ${resourceType} has no configurations.`)
  }
  const topic = broker.topics.get(resourceName)
  if (topic === undefined) {
    throw new RefusedRequestError('UNKNOWN_TOPIC_OR_PARTITION', 'The topic does not exist.')
  }
  return topic.config.describe(names).map(({ name, value, isDefault, fallback }) => {
    const synonyms: ConfigDescriptions[number]['synonyms'] = []
    const brokerName = brokerConfigNames[name]
    if (brokerName !== undefined) {
      synonyms.push({ name: brokerName, value: fallback, source: configSources.fallback })
    }
    if (!isDefault) synonyms.unshift({ name, value, source: configSources.topic })
    return {
      name,
      value,
      readOnly: false,
      isDefault,
      source: isDefault ? configSources.fallback : configSources.topic,
      synonyms: includesSynonyms ? synonyms : [],
    }
  })
}

const describeBroker = (
  broker: BrokerServices,
  resourceName: string,
  names: readonly string[] | null,
): ConfigDescriptions => {
  if (resourceName !== String(brokerNodeId)) {
    throw new RefusedRequestError('INVALID_REQUEST', `The only broker is ${brokerNodeId}.`)
  }
  const values: Record<string, string> = {
    'auto.create.topics.enable': String(broker.autoCreateTopics),
    'broker.id': String(brokerNodeId),
    'default.replication.factor': '1',
    'num.partitions': '1',
    'socket.request.max.bytes': '104857600',
  }
  return Object.entries(values)
    .filter(([name]) => names === null || names.includes(name))
    .map(([name, value]) => {
      return {
        name,
        value,
        readOnly: true,
        isDefault: false,
        source: configSources.staticBroker,
        synonyms: [],
      }
    })
}
