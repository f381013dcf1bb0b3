import { expect } from 'vitest'
import type { KafkaCase } from './case-cluster.ts'
import { joinGroup, leaveGroup, syncGroup } from './wire-api.ts'

/** `group.initial.rebalance.delay.ms`: a group without members waits for further ones. */
export const firstRebalanceCases = (test: KafkaCase): void => {
  test('the first member of an empty group waits the configured delay, whenever the group is empty', async (cluster, subject) => {
    const groupId = cluster.name('group')
    const wire = await cluster.wire()
    for (const generationId of [1, 3]) {
      const { memberId } = await joinGroup(wire, groupId)
      const begun = performance.now()
      expect(await joinGroup(wire, groupId, { memberId })).toMatchObject({ errorCode: 0, generationId })
      // Timers of broker and client are not one clock.
      expect(performance.now() - begun).toBeGreaterThan(subject.groupInitialRebalanceDelayMillis - 50)
      await syncGroup(wire, { groupId, memberId, generationId }, { [memberId]: 'all' })
      expect(await leaveGroup(wire, groupId, [{ memberId }])).toEqual([0])
    }
  })

  test('members that come within the delay share the first generation', async (cluster) => {
    const groupId = cluster.name('group')
    const newcomers = await Promise.all(
      [0, 1, 2].map(async () => {
        const wire = await cluster.wire()
        return { wire, memberId: (await joinGroup(wire, groupId)).memberId }
      }),
    )
    const answers = await Promise.all(
      newcomers.map(({ wire, memberId }) => joinGroup(wire, groupId, { memberId })),
    )
    expect(answers.map(({ generationId }) => generationId)).toEqual([1, 1, 1])
    expect(answers.map(({ members }) => members.length).sort()).toEqual([0, 0, 3])
  })
}
