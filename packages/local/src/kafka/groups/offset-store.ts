import { join } from 'node:path'
import { type Durability, withoutFsync } from '../../durability.ts'
import { DurableMap } from '../storage/durable-map.ts'

export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

/** An offset that a group commits for one topic partition. */
export interface OffsetCommit extends CommittedOffset {
  readonly topicName: string
  readonly partition: number
}

interface StoredGroup {
  readonly protocolType: string
}

/** The committed offsets of every group, written before a commit returns. */
export class OffsetStore {
  readonly #stored: DurableMap<CommittedOffset | StoredGroup>
  readonly #groups = new Map<string, Map<string, OffsetCommit>>()
  readonly #protocolTypes = new Map<string, string>()

  constructor(dataDirectory: string, durability: Durability = withoutFsync) {
    this.#stored = new DurableMap(join(dataDirectory, 'groups.jsonl'), durability)
    for (const [key, value] of this.#stored.entries()) {
      const [groupId, topicName, partition] = JSON.parse(key) as [string, string?, number?]
      if ('protocolType' in value) this.#protocolTypes.set(groupId, value.protocolType)
      else if (topicName !== undefined && partition !== undefined) {
        this.#remember(groupId, { ...value, topicName, partition })
      }
    }
  }

  /** Groups that have committed offsets or had members. */
  groupIds(): string[] {
    return [...new Set([...this.#groups.keys(), ...this.#protocolTypes.keys()])]
  }

  /** `consumer` for consumer groups; empty when only offsets were committed. */
  protocolType(groupId: string): string {
    return this.#protocolTypes.get(groupId) ?? ''
  }

  setProtocolType(groupId: string, protocolType: string): void {
    if (this.#protocolTypes.get(groupId) === protocolType) return
    this.#stored.set(JSON.stringify([groupId]), { protocolType })
    this.#protocolTypes.set(groupId, protocolType)
  }

  commit(groupId: string, commits: readonly OffsetCommit[]): void {
    this.#stored.apply(
      commits.map(({ topicName, partition, offset, leaderEpoch, metadata }) => {
        return [JSON.stringify([groupId, topicName, partition]), { offset, leaderEpoch, metadata }]
      }),
    )
    for (const commit of commits) this.#remember(groupId, commit)
  }

  get(groupId: string, topicName: string, partition: number): CommittedOffset | undefined {
    return this.#groups.get(groupId)?.get(`${topicName}/${partition}`)
  }

  all(groupId: string): OffsetCommit[] {
    return [...(this.#groups.get(groupId)?.values() ?? [])]
  }

  deleteGroup(groupId: string): void {
    const keys = this.all(groupId).map(({ topicName, partition }) => [groupId, topicName, partition])
    this.#stored.apply([...keys, [groupId]].map((key) => [JSON.stringify(key), null]))
    this.#groups.delete(groupId)
    this.#protocolTypes.delete(groupId)
  }

  /** Forgets what any group committed for a topic that is gone. */
  deleteTopic(topicName: string): void {
    for (const [groupId, commits] of this.#groups) {
      const gone = [...commits.values()].filter((commit) => commit.topicName === topicName)
      this.#stored.apply(gone.map(({ partition }) => [JSON.stringify([groupId, topicName, partition]), null]))
      for (const { partition } of gone) commits.delete(`${topicName}/${partition}`)
    }
  }

  close(): void {
    this.#stored.close()
  }

  #remember(groupId: string, commit: OffsetCommit): void {
    let commits = this.#groups.get(groupId)
    if (commits === undefined) this.#groups.set(groupId, (commits = new Map()))
    commits.set(`${commit.topicName}/${commit.partition}`, commit)
  }
}
