import fc from 'fast-check'
import { AssignerProtocol, type Cluster, type Logger } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { type StickyMember, stickyAssigner, stickyAssignment } from '../src/sticky-assigner.ts'

const partitionsOf = (topic: string, count: number) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }))
const text = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`
const member = (memberId: string, owned: StickyMember['owned'] = [], topics = ['a', 'b']): StickyMember => ({
  memberId,
  topics,
  owned,
})

describe('the sticky assignment', () => {
  it('shares out evenly, gives each partition to one member, and moves no more than it has to', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 0, max: 7 }),
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
        (ofA, ofB, sizes) => {
          const partitions = [...partitionsOf('a', ofA), ...partitionsOf('b', ofB)]
          let held = new Map<string, readonly { topic: string; partition: number }[]>()
          for (const size of sizes) {
            const members = Array.from({ length: size }, (_, index) =>
              member(`m${index}`, held.get(`m${index}`) ?? []),
            )
            const shares = stickyAssignment(members, partitions)
            expect([...shares.values()].flat().map(text).sort()).toEqual(partitions.map(text).sort())
            const counts = [...shares.values()].map((share) => share.length)
            expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
            // Nobody loses a partition to make room that is not needed.
            const least = Math.floor(partitions.length / size)
            for (const [memberId, share] of shares) {
              const before = (held.get(memberId) ?? []).map(text)
              const kept = share.map(text).filter((partition) => before.includes(partition))
              expect(kept.length).toBeGreaterThanOrEqual(Math.min(before.length, least))
            }
            if (size === held.size) {
              for (const [memberId, share] of shares) {
                expect(share.map(text).sort()).toEqual(held.get(memberId)?.map(text).sort())
              }
            }
            held = new Map(shares)
          }
        },
      ),
    )
  })

  it('gives what two claim to one of them, and nothing that is not there or not subscribed to', () => {
    const claimed = [...partitionsOf('a', 3), { topic: 'gone', partition: 0 }, { topic: 'a', partition: 9 }]
    const shares = stickyAssignment(
      [member('one', claimed), member('two', claimed), member('three', partitionsOf('a', 3), ['b'])],
      [...partitionsOf('a', 3), ...partitionsOf('b', 3)],
    )
    expect([...shares.values()].flat().map(text).sort()).toEqual(['a/0', 'a/1', 'a/2', 'b/0', 'b/1', 'b/2'])
    expect(shares.get('three')?.every(({ topic }) => topic === 'b')).toBe(true)
  })
})

describe('the sticky assigner', () => {
  const assignerOf = (owned: StickyMember['owned']) =>
    stickyAssigner(() => owned)({
      cluster: {
        findTopicPartitionMetadata: () => [2, 0, 1, 3].map((partitionId) => ({ partitionId })),
      } as unknown as Cluster,
      groupId: 'group',
      logger: {} as Logger,
    })

  it('reads what members wrote when they joined', async () => {
    const owned = [
      { topic: 'a', partition: 3 },
      { topic: 'a', partition: 1 },
    ]
    const members = [
      { memberId: 'x', memberMetadata: assignerOf([]).protocol({ topics: ['a'] }).metadata },
      { memberId: 'y', memberMetadata: assignerOf(owned).protocol({ topics: ['a'] }).metadata },
    ]
    const assigned = await assignerOf([]).assign({ members, topics: ['a'] })
    const shares = assigned.map(({ memberId, memberAssignment }) => [
      memberId,
      AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment,
    ])
    expect(Object.fromEntries(shares)).toEqual({ x: { a: [0, 2] }, y: { a: [3, 1] } })
  })

  it('takes a member whose words it cannot read for one that owns nothing', async () => {
    const memberMetadata = AssignerProtocol.MemberMetadata.encode({
      version: 0,
      topics: ['a'],
      userData: Buffer.from('{"a": 7, "b": [{'),
    })
    const [only] = await assignerOf([]).assign({
      members: [{ memberId: 'x', memberMetadata }],
      topics: ['a'],
    })
    expect(AssignerProtocol.MemberAssignment.decode(only!.memberAssignment)?.assignment).toEqual({
      a: [0, 1, 2, 3],
    })
  })
})
