import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Durability, withoutFsync } from '../../durability.ts'
import { PartitionLog } from '../log/partition-log.ts'
import { RefusedRequestError } from '../protocol/error-code.ts'
import { DurableMap } from '../storage/durable-map.ts'
import { TopicConfig } from './topic-config.ts'
import { partitionDirectoryName } from './topic-directory.ts'

/** More partitions than one development machine serves well. */
const maxPartitionCount = 10_000

interface StoredTopic {
  readonly partitionCount: number
  readonly configs: Readonly<Record<string, string>>
  /** Absent in data directories of before there were ids. */
  readonly topicId?: string
}

/** A topic with its logs, one for each partition. */
export class Topic {
  readonly name: string
  /** Another one for each topic that is made, also under an old name. */
  readonly id: string
  config: TopicConfig
  readonly partitions: PartitionLog[] = []

  constructor(name: string, id: string, config: TopicConfig) {
    this.name = name
    this.id = id
    this.config = config
  }
}

/** All topics of the broker: what they are is kept in one file, their logs in a directory for each partition. */
export class TopicStore {
  readonly #stored: DurableMap<StoredTopic>
  readonly #durability: Durability
  readonly #logDirectory: string
  readonly #topics = new Map<string, Topic>()
  readonly #deletionListeners = new Set<(topicName: string) => void>()

  /** Opens every log in `dataDirectory`. */
  constructor(dataDirectory: string, durability: Durability = withoutFsync) {
    this.#stored = new DurableMap(join(dataDirectory, 'topics.jsonl'), durability)
    this.#durability = durability
    this.#logDirectory = join(dataDirectory, 'logs')
    durability.makeDirectory(this.#logDirectory)
    durability.directoryChanged(this.#logDirectory)
    this.#removeOrphans()
    for (const [name, stored] of [...this.#stored.entries()]) {
      const { partitionCount, configs, topicId = newTopicId() } = stored
      if (stored.topicId === undefined) this.#stored.set(name, { ...stored, topicId })
      this.#open(name, topicId, new TopicConfig(configs), partitionCount)
    }
  }

  get(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  all(): Topic[] {
    return [...this.#topics.values()]
  }

  partition(topicName: string, partition: number): PartitionLog | undefined {
    return this.#topics.get(topicName)?.partitions[partition]
  }

  onDelete(listener: (topicName: string) => void): void {
    this.#deletionListeners.add(listener)
  }

  /**
   * Creates a topic. Throws a RefusedRequestError: INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS,
   * INVALID_PARTITIONS or INVALID_CONFIG. With `validateOnly` nothing is created.
   */
  create(
    name: string,
    options: {
      partitionCount: number
      configs?: Readonly<Record<string, string | null>>
      validateOnly?: boolean
    },
  ): void {
    checkTopicName(name)
    if (this.#topics.has(name)) {
      throw new RefusedRequestError('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
    }
    const collision = this.#collidingName(name)
    if (collision !== undefined) {
      const message = `Topic '${name}' collides with the existing topic '${collision}': they differ in . and _ only.`
      throw new RefusedRequestError('INVALID_TOPIC_EXCEPTION', message)
    }
    checkPartitionCount(options.partitionCount)
    const config = new TopicConfig(options.configs ?? {})
    if (options.validateOnly === true) return
    const { partitionCount } = options
    const topicId = newTopicId()
    this.#stored.set(name, { partitionCount, configs: config.overrides, topicId })
    this.#open(name, topicId, config, partitionCount)
  }

  delete(name: string): void {
    const topic = this.#existing(name)
    this.#stored.delete(name)
    this.#topics.delete(name)
    // Before its logs go, and they before a topic of the same name comes: no power loss leaves half a topic.
    this.#durability.settleNow()
    for (const log of topic.partitions) log.delete()
    this.#durability.settleNow()
    for (const listener of this.#deletionListeners) listener(name)
  }

  /** Adds partitions up to `partitionCount`; throws INVALID_PARTITIONS unless it is more than there are. */
  addPartitions(name: string, partitionCount: number, validateOnly = false): void {
    const topic = this.#existing(name)
    if (partitionCount <= topic.partitions.length) {
      throw new RefusedRequestError(
        'INVALID_PARTITIONS',
        `The topic ${name} currently has ${topic.partitions.length} partition(s); ${partitionCount} would not be an increase.`,
      )
    }
    checkPartitionCount(partitionCount)
    if (validateOnly) return
    this.#stored.set(name, { partitionCount, configs: topic.config.overrides, topicId: topic.id })
    this.#openPartitions(topic, partitionCount)
  }

  /** Replaces all overrides of a topic. */
  configure(name: string, configs: Readonly<Record<string, string | null>>, validateOnly = false): void {
    const topic = this.#existing(name)
    const config = new TopicConfig(configs)
    if (validateOnly) return
    const partitionCount = topic.partitions.length
    this.#stored.set(name, { partitionCount, configs: config.overrides, topicId: topic.id })
    topic.config = config
  }

  /** Enforces retention on every log; one that cannot be written now is left for the next time. */
  applyRetention(nowMillis: number): void {
    for (const { partitions } of this.#topics.values()) {
      for (const log of partitions) {
        try {
          log.applyRetention(nowMillis)
        } catch {}
      }
    }
  }

  close(): void {
    for (const topic of this.#topics.values()) {
      for (const log of topic.partitions) log.close()
    }
    this.#stored.close()
  }

  /** Apache Kafka refuses names that are one name in its metrics, where dots become underscores. */
  #collidingName(name: string): string | undefined {
    const metricName = name.replaceAll('.', '_')
    if (!metricName.includes('_')) return undefined
    return [...this.#topics.keys()].find((other) => other.replaceAll('.', '_') === metricName)
  }

  #existing(name: string): Topic {
    const topic = this.#topics.get(name)
    if (topic === undefined) {
      throw new RefusedRequestError('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
    }
    return topic
  }

  #open(name: string, id: string, config: TopicConfig, partitionCount: number): void {
    const topic = new Topic(name, id, config)
    this.#openPartitions(topic, partitionCount)
    this.#topics.set(name, topic)
  }

  #openPartitions(topic: Topic, partitionCount: number): void {
    for (let partition = topic.partitions.length; partition < partitionCount; partition++) {
      const directory = join(this.#logDirectory, partitionDirectoryName(topic.name, partition))
      topic.partitions.push(new PartitionLog(directory, () => topic.config.logSettings, this.#durability))
    }
  }

  /** Removes what a deletion left behind when the process died in the middle of it. */
  #removeOrphans(): void {
    const expected = new Set<string>()
    for (const [name, { partitionCount }] of this.#stored.entries()) {
      for (let partition = 0; partition < partitionCount; partition++) {
        expected.add(partitionDirectoryName(name, partition))
      }
    }
    for (const entry of readdirSync(this.#logDirectory)) {
      if (!expected.has(entry)) rmSync(join(this.#logDirectory, entry), { recursive: true, force: true })
    }
  }
}

const newTopicId = (): string => randomBytes(16).toString('base64url')

const checkTopicName = (name: string): void => {
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') {
    throw new RefusedRequestError(
      'INVALID_TOPIC_EXCEPTION',
      `'${name.slice(0, 300)}' is no topic name: 1 to 249 ASCII letters, digits, dots, underscores and hyphens, not . or ..`,
    )
  }
}

const checkPartitionCount = (partitionCount: number): void => {
  if (partitionCount < 1 || partitionCount > maxPartitionCount) {
    throw new RefusedRequestError(
      'INVALID_PARTITIONS',
      `A topic has 1 to ${maxPartitionCount} partitions, not ${partitionCount}.`,
    )
  }
}
