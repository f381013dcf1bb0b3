import type { TopicPartition } from '@stockpipe/core'
import { AssignerProtocol, type PartitionAssigner } from 'kafkajs'
import { partitionKey } from './partition-cursor.ts'

const { MemberMetadata, MemberAssignment } = AssignerProtocol
const name = 'stockpipe-sticky'
/** Of the consumer protocol: topics and user data, which is what kafkajs writes. */
const version = 0

/** A member of the group, as the one that assigns sees it. */
export interface StickyMember {
  readonly memberId: string
  readonly topics: readonly string[]
  /** What its sinks still have. */
  readonly owned: readonly TopicPartition[]
}

/**
 * Shares partitions out so that members with the same topics have as many of them as each other, give or take one, and
 * as few as possible move.
 */
export const stickyAssignment = (
  members: readonly StickyMember[],
  partitions: readonly TopicPartition[],
): ReadonlyMap<string, readonly TopicPartition[]> => {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const shares = new Map<string, TopicPartition[]>(sorted.map(({ memberId }) => [memberId, []]))
  const shareOf = (member: StickyMember): TopicPartition[] => shares.get(member.memberId) ?? []
  const free = new Map(partitions.map((partition) => [keyOf(partition), partition]))
  const fair = Math.floor(partitions.length / sorted.length)
  let larger = partitions.length % sorted.length
  for (const member of sorted) {
    const share = shareOf(member)
    for (const owned of member.owned) {
      const partition = free.get(keyOf(owned))
      if (!partition || !member.topics.includes(partition.topic)) continue
      if (share.length > fair || (share.length === fair && larger === 0)) break
      if (share.length === fair) larger -= 1
      free.delete(keyOf(owned))
      share.push(partition)
    }
  }
  for (const partition of free.values()) {
    const eligible = sorted.filter(({ topics }) => topics.includes(partition.topic))
    const least = eligible.reduce<StickyMember | undefined>(
      (least, member) => (!least || shareOf(member).length < shareOf(least).length ? member : least),
      undefined,
    )
    if (least) shareOf(least).push(partition)
  }
  return shares
}

/**
 * The assigner for kafkajs, which itself deals partitions out in turn: one member more or less, and most of them move.
 * Members tell what they own when they join. In a group with members that do not know it, the group falls back to an
 * assigner they all have.
 */
export const stickyAssigner =
  (owned: () => readonly TopicPartition[]): PartitionAssigner =>
  ({ cluster }) => ({
    name,
    version,
    protocol: ({ topics }) => ({
      name,
      metadata: MemberMetadata.encode({ version, topics, userData: encodeOwned(owned()) }),
    }),
    assign: async ({ members, topics }) => {
      const partitions = topics.flatMap((topic) =>
        cluster
          .findTopicPartitionMetadata(topic)
          .map(({ partitionId }) => ({ topic, partition: partitionId }))
          .sort((a, b) => a.partition - b.partition),
      )
      const shares = stickyAssignment(
        members.map(({ memberId, memberMetadata }) => {
          const metadata = MemberMetadata.decode(memberMetadata)
          return {
            memberId,
            topics: metadata?.topics ?? topics,
            owned: decodeOwned(metadata?.userData),
          }
        }),
        partitions,
      )
      return [...shares].map(([memberId, share]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version,
          assignment: byTopic(share),
          userData: Buffer.alloc(0),
        }),
      }))
    },
  })

const keyOf = ({ topic, partition }: TopicPartition): string => partitionKey(topic, partition)

const byTopic = (partitions: readonly TopicPartition[]): Record<string, number[]> => {
  const assignment: Record<string, number[]> = Object.create(null)
  for (const { topic, partition } of partitions) (assignment[topic] ??= []).push(partition)
  return assignment
}

const encodeOwned = (owned: readonly TopicPartition[]): Buffer => Buffer.from(JSON.stringify(byTopic(owned)))

/** What another member says of itself; nothing when it cannot be read. */
const decodeOwned = (userData: Buffer | undefined): TopicPartition[] => {
  try {
    const owned: unknown = JSON.parse(userData?.toString() || '{}')
    return Object.entries(owned as Record<string, unknown>).flatMap(([topic, partitions]) =>
      Array.isArray(partitions)
        ? partitions.map((partition) => ({ topic, partition: Number(partition) }))
        : [],
    )
  } catch {
    return []
  }
}
