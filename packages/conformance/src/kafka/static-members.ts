import { expect } from 'vitest'
import type { CaseCluster, KafkaCase } from './case-cluster.ts'
import { heartbeat, joinGroup, leaveGroup, syncGroup } from './wire-api.ts'

const fencedInstanceId = 82

/** A stable group of one static member. */
const staticMember = async (cluster: CaseCluster) => {
  const groupId = cluster.name('group')
  const groupInstanceId = 'instance-1'
  const wire = await cluster.wire()
  const answer = await joinGroup(wire, groupId, { groupInstanceId })
  const member = {
    groupId,
    groupInstanceId,
    memberId: answer.memberId,
    generationId: answer.generationId,
  }
  const { assignment } = await syncGroup(wire, member, { [answer.memberId]: 'mine' })
  return { wire, member, answer, assignment }
}

/** Static members (KIP-345): an instance keeps its place while it is away. */
export const staticMemberCases = (test: KafkaCase): void => {
  test('a static member joins at once, without coming a second time', async (cluster) => {
    const { answer, member, assignment } = await staticMember(cluster)
    expect(answer).toMatchObject({ errorCode: 0, generationId: 1, leaderId: member.memberId })
    expect(answer.members).toMatchObject([{ groupInstanceId: 'instance-1' }])
    expect(assignment).toBe('mine')
  })

  test('an instance that comes back keeps generation and assignment and gets a new id', async (cluster) => {
    const { member } = await staticMember(cluster)
    const { groupId, groupInstanceId } = member
    const wire = await cluster.wire()
    const back = await joinGroup(wire, groupId, { groupInstanceId })
    expect(back).toMatchObject({ errorCode: 0, generationId: 1 })
    expect(back.memberId).not.toBe(member.memberId)
    const synced = await syncGroup(wire, { ...member, memberId: back.memberId })
    expect(synced).toEqual({ errorCode: 0, assignment: 'mine' })
  })

  test('the id an instance had before is fenced: FENCED_INSTANCE_ID', async (cluster) => {
    const { wire, member } = await staticMember(cluster)
    const { groupId, groupInstanceId } = member
    await joinGroup(await cluster.wire(), groupId, { groupInstanceId })
    expect(await heartbeat(wire, member)).toBe(fencedInstanceId)
    expect((await syncGroup(wire, member)).errorCode).toBe(fencedInstanceId)
    const again = await joinGroup(wire, groupId, { groupInstanceId, memberId: member.memberId })
    expect(again.errorCode).toBe(fencedInstanceId)
  })

  test('an instance is sent away by its name alone', async (cluster) => {
    const { wire, member } = await staticMember(cluster)
    const { groupId, groupInstanceId } = member
    expect(await leaveGroup(wire, groupId, [{ memberId: '', groupInstanceId }])).toEqual([0])
    const { groups } = await (await cluster.admin()).describeGroups([groupId])
    expect(groups[0]).toMatchObject({ state: 'Empty', members: [] })
  })

  test('leaving names the error of each member', async (cluster) => {
    const { wire, member } = await staticMember(cluster)
    const { groupId, groupInstanceId } = member
    const leaving = [
      { memberId: 'stranger' },
      { memberId: 'stranger', groupInstanceId },
      { memberId: '', groupInstanceId },
    ]
    expect(await leaveGroup(wire, groupId, leaving)).toEqual([25, fencedInstanceId, 0])
  })
}
