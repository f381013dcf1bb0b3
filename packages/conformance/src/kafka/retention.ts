import { expect } from 'vitest'
import type { CaseCluster, KafkaCase } from './case-cluster.ts'
import { fetch, listOffset, produce } from './wire-api.ts'

const hourMillis = 3_600_000

/** Waits until the partition begins at an offset. */
const beginsAt = async (cluster: CaseCluster, topic: string, offset: string): Promise<void> => {
  const wire = await cluster.wire()
  await cluster.until(
    () => listOffset(wire, topic, -2),
    (earliest) => earliest.offset === offset,
  )
}

/** Enforced retention: what is too old or too much goes by whole segments, and its offsets are never given out again. */
export const retentionCases = (test: KafkaCase): void => {
  test('records older than retention.ms go, the active segment too, and the next offset is not reused', async (cluster) => {
    const topic = await cluster.topic({ configs: { 'retention.ms': '60000' } })
    const wire = await cluster.wire()
    for (const value of ['a', 'b']) {
      await produce(wire, { topic, messages: [{ value, timestamp: Date.now() - hourMillis }] })
    }
    await beginsAt(cluster, topic, '2')
    const admin = await cluster.admin()
    expect(await admin.fetchTopicOffsets(topic)).toMatchObject([{ low: '2', high: '2' }])
    expect((await fetch(wire, { topic, offset: 0 })).errorCode).toBe(1)
    expect(await produce(wire, { topic, messages: [{ value: 'c' }] })).toMatchObject({
      errorCode: 0,
      baseOffset: '2',
      logStartOffset: '2',
    })
  })

  test('a segment with one record young enough stays whole', async (cluster) => {
    const topic = await cluster.topic({ configs: { 'retention.ms': '600000' } })
    const wire = await cluster.wire()
    const messages = [{ value: 'old', timestamp: Date.now() - hourMillis }, { value: 'young' }]
    await produce(wire, { topic, messages })
    await retentionEnforced(cluster)
    expect(await listOffset(wire, topic, -2)).toMatchObject({ offset: '0' })
  })

  test('whole segments go as long as more than retention.bytes is left', async (cluster) => {
    const configs = { 'retention.bytes': '1500000', 'segment.bytes': '1048576' }
    const topic = await cluster.topic({ configs })
    const wire = await cluster.wire()
    // One to a segment: 2.8 MB less one segment is 2.1 MB, less another would be under the limit.
    for (let batch = 0; batch < 4; batch++) {
      await produce(wire, { topic, messages: [{ value: Buffer.alloc(700_000) }] })
    }
    await beginsAt(cluster, topic, '1')
    await retentionEnforced(cluster)
    expect(await listOffset(wire, topic, -2)).toMatchObject({ offset: '1' })
  })

  test('retention.bytes of 0 leaves nothing, not even the active segment', async (cluster) => {
    const topic = await cluster.topic({ configs: { 'retention.bytes': '0' } })
    await cluster.write(topic, ['a'])
    await beginsAt(cluster, topic, '1')
  })

  test('a segment whose first record is older than segment.ms is closed by the next, and goes alone', async (cluster) => {
    const topic = await cluster.topic({ configs: { 'segment.ms': '60000', 'retention.ms': '600000' } })
    const wire = await cluster.wire()
    for (const ageMillis of [hourMillis / 12, hourMillis / 12 - 10_000, 0]) {
      const timestamp = Date.now() - ageMillis
      await produce(wire, { topic, messages: [{ value: 'v', timestamp }] })
    }
    await retentionEnforced(cluster)
    expect(await listOffset(wire, topic, -2)).toMatchObject({ offset: '0' })
    const admin = await cluster.admin()
    const configEntries = [{ name: 'retention.ms', value: '200000' }]
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] })
    await beginsAt(cluster, topic, '2')
    await retentionEnforced(cluster)
    expect(await listOffset(wire, topic, -2)).toMatchObject({ offset: '2' })
  })
}

/** Waits until another topic shows that retention has been enforced since. */
const retentionEnforced = async (cluster: CaseCluster): Promise<void> => {
  const topic = await cluster.topic({ configs: { 'retention.ms': '1000' } })
  const messages = [{ value: 'old', timestamp: Date.now() - hourMillis }]
  await produce(await cluster.wire(), { topic, messages })
  await beginsAt(cluster, topic, '1')
}
