import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { GroupCoordinator, type JoinRequest } from '../../src/kafka/groups/group-coordinator.ts'
import { OffsetStore } from '../../src/kafka/groups/offset-store.ts'
import { afterTest, temporaryDirectory } from './broker-fixture.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const start = (initialRebalanceDelayMillis = 0): GroupCoordinator => {
  const offsets = new OffsetStore(temporaryDirectory())
  const coordinator = new GroupCoordinator(offsets, initialRebalanceDelayMillis)
  afterTest(() => {
    coordinator.close()
    offsets.close()
  })
  return coordinator
}

const joinRequest = (memberId: string, changed: Partial<JoinRequest> = {}): JoinRequest => ({
  groupId: 'g',
  memberId,
  groupInstanceId: null,
  sessionTimeoutMillis: 10_000,
  rebalanceTimeoutMillis: 30_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from(memberId) }],
  clientId: 'client',
  clientHost: '/127.0.0.1',
  requiresMemberId: true,
  ...changed,
})

const newMemberId = async (coordinator: GroupCoordinator): Promise<string> => {
  const { errorCode, memberId } = await coordinator.join(joinRequest(''))
  expect(errorCode).toBe(79)
  return memberId
}

const identity = (memberId: string, generationId: number) => {
  return { groupId: 'g', memberId, groupInstanceId: null, generationId }
}

/** Two members that have joined and synced. */
const stablePair = async (coordinator: GroupCoordinator) => {
  const ids = [await newMemberId(coordinator), await newMemberId(coordinator)]
  const joins = await Promise.all(ids.map((id) => coordinator.join(joinRequest(id))))
  const { leaderId, generationId } = joins[0]!
  const follower = ids.find((id) => id !== leaderId)!
  const assignments = ids.map((memberId) => ({ memberId, assignment: Buffer.from(`for ${memberId}`) }))
  const followerSync = coordinator.sync({ ...identity(follower, generationId), assignments: [] })
  const leaderSync = coordinator.sync({ ...identity(leaderId, generationId), assignments })
  return { leader: leaderId, follower, generationId, syncs: await Promise.all([leaderSync, followerSync]) }
}

test('a newcomer is sent back with an id, and those who hold an id are waited for', async () => {
  const coordinator = start()
  const first = await newMemberId(coordinator)
  const second = await newMemberId(coordinator)
  const firstJoin = coordinator.join(joinRequest(first))
  const secondJoin = coordinator.join(joinRequest(second))
  const results = await Promise.all([firstJoin, secondJoin])
  expect(results.map(({ errorCode, generationId }) => [errorCode, generationId])).toEqual([
    [0, 1],
    [0, 1],
  ])
  const leader = results.find(({ memberId, leaderId }) => memberId === leaderId)!
  expect(leader.members.map(({ memberId }) => memberId).sort()).toEqual([first, second].sort())
  expect(results.find((result) => result !== leader)!.members).toEqual([])
})

test('the leader brings the assignments and each member gets its own', async () => {
  const { leader, follower, syncs } = await stablePair(start())
  expect(syncs.map(({ assignment }) => String(assignment))).toEqual([`for ${leader}`, `for ${follower}`])
})

test('a heartbeat of an unknown member, or of another generation, is refused', async () => {
  const coordinator = start()
  const { leader, generationId } = await stablePair(coordinator)
  expect(coordinator.heartbeat(identity(leader, generationId))).toBe(0)
  expect(coordinator.heartbeat(identity('nobody', generationId))).toBe(25)
  expect(coordinator.heartbeat(identity(leader, generationId - 1))).toBe(22)
  expect(coordinator.heartbeat({ ...identity(leader, generationId), groupId: 'absent' })).toBe(25)
})

test('who does not join again within the rebalance time-out is out; the others go on', async () => {
  const coordinator = start()
  const { leader, follower, generationId } = await stablePair(coordinator)
  const rejoin = coordinator.join(
    joinRequest(leader, { protocols: [{ name: 'range', metadata: Buffer.from('x') }] }),
  )
  for (let elapsedMillis = 0; elapsedMillis < 30_000; elapsedMillis += 5000) {
    expect(coordinator.heartbeat(identity(follower, generationId))).toBe(27)
    await vi.advanceTimersByTimeAsync(5000)
  }
  expect(await rejoin).toMatchObject({
    errorCode: 0,
    generationId: generationId + 1,
    members: [{ memberId: leader }],
  })
  expect(coordinator.heartbeat(identity(follower, generationId))).toBe(25)
})

test('who is silent for its session time-out is out and the group rebalances', async () => {
  const coordinator = start()
  const { leader, follower, generationId } = await stablePair(coordinator)
  await vi.advanceTimersByTimeAsync(6000)
  coordinator.heartbeat(identity(leader, generationId))
  await vi.advanceTimersByTimeAsync(6000)
  expect(coordinator.heartbeat(identity(follower, generationId))).toBe(25)
  expect(coordinator.heartbeat(identity(leader, generationId))).toBe(27)
})

test('who joined but does not ask for its assignment is out, and the waiting one joins again', async () => {
  const coordinator = start()
  const ids = [await newMemberId(coordinator), await newMemberId(coordinator)]
  const [join] = await Promise.all(ids.map((id) => coordinator.join(joinRequest(id))))
  const { leaderId, generationId } = join!
  const follower = ids.find((id) => id !== leaderId)!
  const waiting = coordinator.sync({ ...identity(follower, generationId), assignments: [] })
  for (let elapsedMillis = 0; elapsedMillis < 30_000; elapsedMillis += 5000) {
    coordinator.heartbeat(identity(leaderId, generationId))
    await vi.advanceTimersByTimeAsync(5000)
  }
  expect((await waiting).errorCode).toBe(27)
  expect(coordinator.heartbeat(identity(leaderId, generationId))).toBe(25)
  expect(await coordinator.join(joinRequest(follower))).toMatchObject({ errorCode: 0, leaderId: follower })
})

test('an id that was given out and never used does not hold up the group beyond its time-out', async () => {
  const coordinator = start()
  await newMemberId(coordinator)
  const second = await newMemberId(coordinator)
  const join = coordinator.join(joinRequest(second))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await join).toMatchObject({ errorCode: 0, members: [{ memberId: second }] })
})

test('an empty group waits for further members as long as it is told to', async () => {
  const coordinator = start(3000)
  let isAnswered = false
  const first = await newMemberId(coordinator)
  const join = coordinator.join(joinRequest(first)).then((result) => {
    isAnswered = true
    return result
  })
  await vi.advanceTimersByTimeAsync(2900)
  expect(isAnswered).toBe(false)
  const second = coordinator.join(joinRequest(await newMemberId(coordinator)))
  await vi.advanceTimersByTimeAsync(3000)
  expect((await join).members.length + (await second).members.length).toBe(2)
})

test('a static member that comes back takes its place without a rebalance, and its old id is fenced', async () => {
  const coordinator = start()
  const asInstance = { groupInstanceId: 'i1', protocols: [{ name: 'range', metadata: Buffer.from('m') }] }
  const first = await coordinator.join(joinRequest('', asInstance))
  const assignments = [{ memberId: first.memberId, assignment: Buffer.from('mine') }]
  const staticIdentity = { ...identity(first.memberId, 1), groupInstanceId: 'i1' }
  await coordinator.sync({ ...staticIdentity, assignments })
  const again = await coordinator.join(joinRequest('', asInstance))
  expect(again).toMatchObject({ errorCode: 0, generationId: 1 })
  expect(again.memberId).not.toBe(first.memberId)
  expect(coordinator.heartbeat(staticIdentity)).toBe(82)
  const sync = await coordinator.sync({ ...staticIdentity, memberId: again.memberId, assignments: [] })
  expect(String(sync.assignment)).toBe('mine')
})

test('members that share no protocol, or bring another type, are refused', async () => {
  const coordinator = start()
  await stablePair(coordinator)
  const protocols = [{ name: 'sticky', metadata: Buffer.from('') }]
  expect((await coordinator.join(joinRequest('', { protocols }))).errorCode).toBe(23)
  expect((await coordinator.join(joinRequest('', { protocolType: 'connect' }))).errorCode).toBe(23)
  expect((await coordinator.join(joinRequest('', { protocols: [], groupId: 'other' }))).errorCode).toBe(23)
})

test('only members of the current generation, or anyone while the group is empty, may commit', async () => {
  const coordinator = start()
  const outsider = identity('', -1)
  expect(coordinator.checkCommit(outsider)).toBe(0)
  const { leader, follower, generationId } = await stablePair(coordinator)
  expect(coordinator.checkCommit(identity(leader, generationId))).toBe(0)
  expect(coordinator.checkCommit(identity(leader, generationId - 1))).toBe(22)
  expect(coordinator.checkCommit(outsider)).toBe(25)
  for (const memberId of [leader, follower])
    coordinator.leave({ groupId: 'g', memberId, groupInstanceId: null })
  expect(coordinator.group('g')!.state).toBe('Empty')
  expect(coordinator.checkCommit(outsider)).toBe(0)
  expect(coordinator.checkCommit(identity(leader, generationId))).toBe(25)
})

test('a follower that joins again disturbs the group only when it brings something new', async () => {
  const coordinator = start()
  const { leader, follower, generationId } = await stablePair(coordinator)
  expect(await coordinator.join(joinRequest(follower))).toMatchObject({
    errorCode: 0,
    generationId,
    members: [],
  })
  expect(coordinator.heartbeat(identity(leader, generationId))).toBe(0)
  const protocols = [{ name: 'range', metadata: Buffer.from('another topic') }]
  const changed = coordinator.join(joinRequest(follower, { protocols }))
  expect(coordinator.heartbeat(identity(leader, generationId))).toBe(27)
  const results = await Promise.all([changed, coordinator.join(joinRequest(leader))])
  expect(results).toMatchObject([{ generationId: generationId + 1 }, { generationId: generationId + 1 }])
})
