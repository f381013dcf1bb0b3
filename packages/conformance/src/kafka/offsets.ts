import { expect } from 'vitest'
import { type KafkaCase, refusal } from './case-cluster.ts'
import { commitOffset, committedOffset, joinGroup, outsider, syncGroup } from './wire-api.ts'

/** Offsets that groups commit. */
export const offsetCases = (test: KafkaCase): void => {
  test('a group that never committed has offset -1', async (cluster) => {
    const topic = await cluster.topic()
    const admin = await cluster.admin()
    const [offsets] = await admin.fetchOffsets({ groupId: cluster.name('missing'), topics: [topic] })
    expect(offsets!.partitions).toMatchObject([{ partition: 0, offset: '-1' }])
  })

  test('what a client outside of the group commits is kept with its metadata', async (cluster) => {
    const topic = await cluster.topic()
    const groupId = cluster.name('group')
    const wire = await cluster.wire()
    expect(await commitOffset(wire, outsider(groupId), { topic, offset: 7, metadata: 'seven' })).toBe(0)
    expect(await committedOffset(wire, groupId, topic)).toMatchObject({
      offset: '7',
      metadata: 'seven',
      errorCode: 0,
    })
  })

  test('offsets may go back and beyond the end of the log', async (cluster) => {
    const topic = await cluster.topic()
    const groupId = cluster.name('group')
    const wire = await cluster.wire()
    for (const offset of [900, 3]) {
      expect(await commitOffset(wire, outsider(groupId), { topic, offset })).toBe(0)
      expect((await committedOffset(wire, groupId, topic)).offset).toBe(String(offset))
    }
  })

  test('metadata of more than 4,096 bytes is OFFSET_METADATA_TOO_LARGE', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const group = outsider(cluster.name('group'))
    expect(await commitOffset(wire, group, { topic, offset: 1, metadata: 'm'.repeat(4097) })).toBe(12)
    expect(await commitOffset(wire, group, { topic, offset: 1, metadata: 'm'.repeat(4096) })).toBe(0)
  })

  test('an offset for a topic that does not exist is UNKNOWN_TOPIC_OR_PARTITION', async (cluster) => {
    const wire = await cluster.wire()
    const commit = { topic: cluster.name('missing'), offset: 1 }
    expect(await commitOffset(wire, outsider(cluster.name('group')), commit)).toBe(3)
  })

  test('a consumer goes on where its group has committed', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['0', '1', '2', '3'])
    const groupId = cluster.name('group')
    await commitOffset(await cluster.wire(), outsider(groupId), { topic, offset: 2 })
    const received = await cluster.consume(topic, 2, { groupId })
    expect(received.map(({ message }) => message.offset)).toEqual(['2', '3'])
  })

  test('a member commits in its generation, and nobody in another', async (cluster) => {
    const topic = await cluster.topic()
    const groupId = cluster.name('group')
    const wire = await cluster.wire()
    const { memberId } = await joinGroup(wire, groupId)
    const { generationId } = await joinGroup(wire, groupId, { memberId })
    const member = { groupId, memberId, generationId }
    await syncGroup(wire, member, { [memberId]: 'all' })
    expect(await commitOffset(wire, member, { topic, offset: 5 })).toBe(0)
    const stale = { ...member, generationId: generationId + 1 }
    expect(await commitOffset(wire, stale, { topic, offset: 6 })).toBe(22)
    expect(await commitOffset(wire, { ...member, memberId: 'stranger' }, { topic, offset: 7 })).toBe(25)
    expect(await commitOffset(wire, outsider(groupId), { topic, offset: 8 })).toBe(25)
    expect((await committedOffset(wire, groupId, topic)).offset).toBe('5')
  })

  test('offsets of a group are reset by an admin only when it has no members', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['a'])
    const groupId = cluster.name('group')
    await cluster.consume(topic, 1, { groupId })
    const admin = await cluster.admin()
    const partitions = [{ partition: 0, offset: '0' }]
    const error = await refusal(admin.setOffsets({ groupId, topic, partitions }))
    expect(error.message).toContain('current state: Stable')
  })

  test('a deleted group has lost its offsets', async (cluster) => {
    const topic = await cluster.topic()
    const groupId = cluster.name('group')
    const wire = await cluster.wire()
    await commitOffset(wire, outsider(groupId), { topic, offset: 4 })
    await (await cluster.admin()).deleteGroups([groupId])
    expect((await committedOffset(wire, groupId, topic)).offset).toBe('-1')
  })
}
