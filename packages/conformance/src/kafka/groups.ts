import { expect } from 'vitest'
import { type CaseCluster, type KafkaCase, refusal } from './case-cluster.ts'
import { heartbeat, joinGroup, leaveGroup, syncGroup } from './wire-api.ts'
import type { WireClient } from './wire-client.ts'

/** A member of a group on a connection of its own. */
interface Joined {
  readonly wire: WireClient
  readonly groupId: string
  readonly memberId: string
  readonly generationId: number
}

/** Gets a member id and comes again with it, as JoinGroup v4 and later ask. */
const join = async (
  cluster: CaseCluster,
  groupId: string,
): Promise<{ wire: WireClient; memberId: string }> => {
  const wire = await cluster.wire()
  const { memberId } = await joinGroup(wire, groupId)
  return { wire, memberId }
}

/** A stable group of one member. */
const groupOfOne = async (cluster: CaseCluster): Promise<Joined> => {
  const groupId = cluster.name('group')
  const { wire, memberId } = await join(cluster, groupId)
  const { generationId } = await joinGroup(wire, groupId, { memberId })
  await syncGroup(wire, { groupId, memberId, generationId }, { [memberId]: 'all' })
  return { wire, groupId, memberId, generationId }
}

/** A second member comes; the first joins again. Both answers, and the new member. */
const secondMember = async (cluster: CaseCluster, first: Joined) => {
  const { groupId } = first
  const second = await join(cluster, groupId)
  const joining = joinGroup(second.wire, groupId, { memberId: second.memberId })
  await cluster.until(
    () => heartbeat(first.wire, first),
    (errorCode) => errorCode === 27,
  )
  const again = await joinGroup(first.wire, groupId, { memberId: first.memberId })
  return { again, answer: await joining, ...second }
}

/** Groups: join, sync, heartbeat, leave, and what admins see of them. */
export const groupCases = (test: KafkaCase): void => {
  test('a newcomer is given an id and has to come again with it', async (cluster) => {
    const answer = await joinGroup(await cluster.wire(), cluster.name('group'))
    expect(answer.errorCode).toBe(79)
    expect(answer.memberId).not.toBe('')
  })

  test('the first member leads generation 1 and sees itself in the list', async (cluster) => {
    const groupId = cluster.name('group')
    const { wire, memberId } = await join(cluster, groupId)
    const answer = await joinGroup(wire, groupId, { memberId })
    expect(answer).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leaderId: memberId,
      groupProtocol: 'range',
    })
    expect(answer.members.map((member) => member.memberId)).toEqual([memberId])
  })

  test('a second member begins generation 2, and each gets what the leader assigns', async (cluster) => {
    const first = await groupOfOne(cluster)
    const { again, answer, wire, memberId } = await secondMember(cluster, first)
    expect([again.generationId, answer.generationId]).toEqual([2, 2])
    const { groupId } = first
    const assignments = { [first.memberId]: 'left', [memberId]: 'right' }
    expect([again.leaderId, answer.leaderId]).toEqual([first.memberId, first.memberId])
    expect(again.members).toHaveLength(2)
    expect(answer.members).toHaveLength(0)
    const synced = await Promise.all([
      syncGroup(wire, { groupId, memberId, generationId: 2 }),
      syncGroup(first.wire, { groupId, memberId: first.memberId, generationId: 2 }, assignments),
    ])
    expect(synced.map(({ assignment }) => assignment)).toEqual(['right', 'left'])
  })

  test('three members share six partitions, and the others take over from one that leaves', async (cluster) => {
    const topic = await cluster.topic({ partitions: 6 })
    const groupId = cluster.name('group')
    const owned = new Map<number, number[]>()
    const consumers = []
    for (const index of [0, 1, 2]) {
      const consumer = await cluster.consumer({ groupId, rebalanceTimeout: 10_000 })
      consumer.on('consumer.group_join', ({ payload }) => {
        owned.set(index, payload.memberAssignment[topic] ?? [])
      })
      await consumer.subscribe({ topic })
      await consumer.run({ eachMessage: async () => {} })
      consumers.push(consumer)
    }
    const shares = async () => [...owned.values()].map((partitions) => partitions.length).sort()
    await cluster.until(shares, (counts) => counts.join() === '2,2,2')
    expect([...owned.values()].flat().sort()).toEqual([0, 1, 2, 3, 4, 5])
    await consumers[0]!.disconnect()
    owned.delete(0)
    await cluster.until(shares, (counts) => counts.join() === '3,3')
    expect([...owned.values()].flat().sort()).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('a member that left is unknown, and the group is empty', async (cluster) => {
    const member = await groupOfOne(cluster)
    const { wire, groupId, memberId } = member
    expect(await leaveGroup(wire, groupId, [{ memberId }])).toEqual([0])
    expect(await leaveGroup(wire, groupId, [{ memberId }])).toEqual([25])
    expect(await heartbeat(wire, member)).toBe(25)
    const { groups } = await (await cluster.admin()).describeGroups([groupId])
    expect(groups[0]).toMatchObject({ state: 'Empty', members: [], protocolType: 'consumer' })
  })

  test('when one of two leaves, the other is told to join again', async (cluster) => {
    const first = await groupOfOne(cluster)
    const { groupId, wire, memberId } = first
    const second = await secondMember(cluster, first)
    const generation = { groupId, generationId: 2 }
    await Promise.all([
      syncGroup(second.wire, { ...generation, memberId: second.memberId }),
      syncGroup(wire, { ...generation, memberId }, {}),
    ])
    expect(await heartbeat(wire, { ...generation, memberId })).toBe(0)
    expect(await leaveGroup(second.wire, groupId, [{ memberId: second.memberId }])).toEqual([0])
    expect(await heartbeat(wire, { ...generation, memberId })).toBe(27)
    const answer = await joinGroup(wire, groupId, { memberId })
    expect(answer).toMatchObject({ errorCode: 0, generationId: 3, leaderId: memberId })
  })

  test('heartbeats of another generation, a stranger and a missing group are refused', async (cluster) => {
    const member = await groupOfOne(cluster)
    const { wire } = member
    expect(await heartbeat(wire, member)).toBe(0)
    expect(await heartbeat(wire, { ...member, generationId: 9 })).toBe(22)
    expect(await heartbeat(wire, { ...member, memberId: 'stranger' })).toBe(25)
    expect(await heartbeat(wire, { ...member, groupId: cluster.name('missing') })).toBe(25)
  })

  test('a member id the group never gave out is UNKNOWN_MEMBER_ID', async (cluster) => {
    const answer = await joinGroup(await cluster.wire(), cluster.name('group'), { memberId: 'stranger' })
    expect(answer.errorCode).toBe(25)
  })

  test('a newcomer that shares no protocol is INCONSISTENT_GROUP_PROTOCOL', async (cluster) => {
    const { groupId } = await groupOfOne(cluster)
    const wire = await cluster.wire()
    expect((await joinGroup(wire, groupId, { protocols: ['other'] })).errorCode).toBe(23)
    expect((await joinGroup(wire, groupId, { protocolType: 'connect' })).errorCode).toBe(23)
  })

  for (const sessionTimeout of [1000, 1_800_001]) {
    test(`a session time-out of ${sessionTimeout} ms is INVALID_SESSION_TIMEOUT`, async (cluster) => {
      const answer = await joinGroup(await cluster.wire(), cluster.name('group'), { sessionTimeout })
      expect(answer.errorCode).toBe(26)
    })
  }

  test('a kafkajs consumer with a session time-out of a second crashes with INVALID_SESSION_TIMEOUT', async (cluster) => {
    const topic = await cluster.topic()
    const config = { groupId: cluster.name('group'), sessionTimeout: 1000 }
    const consumer = await cluster.consumer({ ...config, retry: { retries: 1 } })
    await consumer.subscribe({ topic })
    const crash = new Promise((resolve) => consumer.on('consumer.crash', ({ payload }) => resolve(payload)))
    consumer.run({ eachMessage: async () => {} }).catch(() => undefined)
    expect(await crash).toMatchObject({
      restart: false,
      error: { type: 'INVALID_SESSION_TIMEOUT', code: 26, retriable: false },
    })
  })

  test('a member that falls silent is out after its session time-out', async (cluster) => {
    const groupId = cluster.name('group')
    const wire = await cluster.wire()
    const sessionTimeout = 6000
    const { memberId } = await joinGroup(wire, groupId, { sessionTimeout })
    const { generationId } = await joinGroup(wire, groupId, { memberId, sessionTimeout })
    await syncGroup(wire, { groupId, memberId, generationId }, { [memberId]: 'all' })
    const admin = await cluster.admin()
    await cluster.until(
      async () => (await admin.describeGroups([groupId])).groups[0]!.state as string,
      (state) => state === 'Empty',
    )
    expect(await heartbeat(wire, { groupId, memberId, generationId })).toBe(25)
  })

  test('a stable group is described with its member and its assignment', async (cluster) => {
    const { groupId, memberId } = await groupOfOne(cluster)
    const { groups } = await (await cluster.admin()).describeGroups([groupId])
    expect(groups[0]).toMatchObject({
      errorCode: 0,
      groupId,
      state: 'Stable',
      protocolType: 'consumer',
      protocol: 'range',
    })
    expect(groups[0]!.members).toMatchObject([{ memberId }])
    expect(String(groups[0]!.members[0]!.memberAssignment)).toBe('all')
  })

  test('a group nobody knows is described as Dead without an error', async (cluster) => {
    const admin = await cluster.admin()
    const { groups } = await admin.describeGroups([cluster.name('missing')])
    expect(groups[0]).toMatchObject({ errorCode: 0, state: 'Dead', members: [] })
  })

  test('groups are listed with their protocol type', async (cluster) => {
    const { groupId } = await groupOfOne(cluster)
    const { groups } = await (await cluster.admin()).listGroups()
    expect(groups).toContainEqual({ groupId, protocolType: 'consumer' })
  })

  test('deleting a group nobody knows is GROUP_ID_NOT_FOUND', async (cluster) => {
    const error = await refusal((await cluster.admin()).deleteGroups([cluster.name('missing')]))
    expect(error.name).toBe('KafkaJSDeleteGroupsError')
    expect(error.groups).toMatchObject([{ error: { type: 'GROUP_ID_NOT_FOUND' } }])
  })

  test('a group with a member is not deleted: NON_EMPTY_GROUP', async (cluster) => {
    const { groupId } = await groupOfOne(cluster)
    const error = await refusal((await cluster.admin()).deleteGroups([groupId]))
    expect(error.name).toBe('KafkaJSDeleteGroupsError')
    expect(error.groups).toMatchObject([{ errorCode: 68, error: { type: 'NON_EMPTY_GROUP' } }])
  })

  test('what a consumer group reads from the latest offset is what comes later', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['before'])
    const consumer = await cluster.consumer({ groupId: cluster.name('group') })
    await consumer.subscribe({ topic, fromBeginning: false })
    const values: string[] = []
    await consumer.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) })
    // The first fetch fixes the position; what is written before it does not count.
    await new Promise<void>((resolve) => consumer.on('consumer.fetch', () => resolve()))
    await cluster.write(topic, ['after'])
    await cluster.until(
      async () => values,
      (seen) => seen.length > 0,
    )
    expect(values).toEqual(['after'])
  })

  test('a consumer of a topic that does not exist fails with UNKNOWN_TOPIC_OR_PARTITION', async (cluster) => {
    const consumer = await cluster.consumer({
      groupId: cluster.name('group'),
      allowAutoTopicCreation: false,
      retry: { retries: 1 },
    })
    const attempt = async () => {
      await consumer.subscribe({ topic: cluster.name('missing') })
      await consumer.run({ eachMessage: async () => {} })
    }
    const error = await refusal(attempt())
    expect(error.cause ?? error).toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })
}
