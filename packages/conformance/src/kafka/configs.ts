import { ConfigResourceTypes } from 'kafkajs'
import { expect } from 'vitest'
import { type CaseCluster, type KafkaCase, refusal } from './case-cluster.ts'

const configOf = async (cluster: CaseCluster, topic: string, name: string) => {
  const admin = await cluster.admin()
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }]
  const described = await admin.describeConfigs({ includeSynonyms: false, resources })
  return described.resources[0]!.configEntries[0]
}

/** Configurations of topics: defaults, overrides, changes and refusals. */
export const configCases = (test: KafkaCase): void => {
  const defaults: Readonly<Record<string, string>> = {
    'cleanup.policy': 'delete',
    'compression.type': 'producer',
    'max.message.bytes': '1048588',
    'message.timestamp.after.max.ms': '3600000',
    'message.timestamp.type': 'CreateTime',
    'retention.bytes': '-1',
    'retention.ms': '604800000',
    'segment.ms': '604800000',
  }
  test('a topic without overrides has the defaults of Apache Kafka', async (cluster) => {
    const topic = await cluster.topic()
    const admin = await cluster.admin()
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: Object.keys(defaults) }]
    const described = await admin.describeConfigs({ includeSynonyms: false, resources })
    const entries = described.resources[0]!.configEntries
    expect(Object.fromEntries(entries.map((entry) => [entry.configName, entry.configValue]))).toEqual(
      defaults,
    )
    expect(entries.every((entry) => entry.isDefault)).toBe(true)
  })

  test('an override given at creation is no default', async (cluster) => {
    const topic = await cluster.topic({ configs: { 'retention.ms': '1000' } })
    expect(await configOf(cluster, topic, 'retention.ms')).toMatchObject({
      configValue: '1000',
      isDefault: false,
    })
  })

  test('altered configurations replace all earlier overrides', async (cluster) => {
    const topic = await cluster.topic({ configs: { 'retention.ms': '1000' } })
    const admin = await cluster.admin()
    const configEntries = [{ name: 'segment.ms', value: '5000' }]
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }]
    await admin.alterConfigs({ validateOnly: false, resources })
    await cluster.until(
      () => configOf(cluster, topic, 'segment.ms'),
      (entry) => entry?.configValue === '5000',
    )
    expect(await configOf(cluster, topic, 'retention.ms')).toMatchObject({ configValue: '604800000' })
  })

  test('an unknown configuration is refused with INVALID_CONFIG and changes nothing', async (cluster) => {
    const topic = await cluster.topic({ configs: { 'retention.ms': '1000' } })
    const admin = await cluster.admin()
    const configEntries = [{ name: 'no.such.config', value: '5000' }]
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }]
    const error = await refusal(admin.alterConfigs({ validateOnly: false, resources }))
    expect(error.errors?.[0] ?? error).toMatchObject({ type: 'INVALID_CONFIG' })
    expect(await configOf(cluster, topic, 'retention.ms')).toMatchObject({ configValue: '1000' })
  })

  test('configurations of a topic that does not exist are UNKNOWN_TOPIC_OR_PARTITION', async (cluster) => {
    const error = await refusal(configOf(cluster, cluster.name('missing'), 'retention.ms'))
    expect(error).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  test('max.message.bytes of a topic is the limit of its batches', async (cluster) => {
    const topic = await cluster.topic({ configs: { 'max.message.bytes': '1000' } })
    const producer = await cluster.producer()
    await producer.send({ topic, messages: [{ value: 'v'.repeat(800) }] })
    const error = await refusal(producer.send({ topic, messages: [{ value: 'v'.repeat(1000) }] }))
    expect(error).toMatchObject({ type: 'MESSAGE_TOO_LARGE', retriable: false })
  })
}
