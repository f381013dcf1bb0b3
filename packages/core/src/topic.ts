import { ConfigurationError } from './errors.ts'
import type { ColumnRecord, KeyColumn, MemberPath, PartitionRecord } from './infer.ts'
import { json } from './json-encoding.ts'
import { type InferInput, type TableDefinition, type TableJSON, tableFromJSON } from './table.ts'
import { checkedEncoding, type ValueEncoding } from './value-encoding.ts'

/** The serialised form of a topic definition; `topicFromJSON` reads it. */
export interface TopicJSON {
  readonly formatVersion: 1
  readonly name: string
  readonly table: TableJSON
  readonly key?: string
  readonly partitions: number
  readonly replicationFactor?: number
  readonly value: ValueEncoding
}

/** A Kafka topic whose records are rows of a table. Frozen and serialisable. */
export class TopicDefinition<
  Columns extends ColumnRecord = ColumnRecord,
  Partitions extends PartitionRecord = PartitionRecord,
> {
  readonly name: string
  readonly table: TableDefinition<Columns, Partitions>
  /** The column whose text is the record key; records without one are spread over the partitions. */
  readonly key: string | undefined
  readonly partitions: number
  /** Undefined: the broker's default. */
  readonly replicationFactor: number | undefined
  readonly value: ValueEncoding

  /** Use `defineTopic` or `topicFromJSON`. */
  constructor(
    name: string,
    definition: {
      readonly table: TableDefinition<Columns, Partitions>
      readonly key?: string | undefined
      readonly partitions?: number
      readonly replicationFactor?: number | undefined
      readonly value?: ValueEncoding
    },
  ) {
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') {
      throw new ConfigurationError({
        code: 'TOPIC_NAME_INVALID',
        message: `"${name}" cannot be a Kafka topic: use up to 249 letters, digits, dots, underscores and hyphens.`,
      })
    }
    const partitions = definition.partitions ?? 1
    if (!Number.isInteger(partitions) || partitions < 1) {
      throw new ConfigurationError({
        code: 'TOPIC_PARTITIONS_INVALID',
        message: `Topic ${name}: partitions is a whole number from 1 on, not ${partitions}.`,
      })
    }
    this.name = name
    this.table = definition.table
    this.key = definition.key
    this.partitions = partitions
    this.replicationFactor = definition.replicationFactor
    checkKey(this)
    this.value = checkedEncoding(name, this.table, definition.value ?? json())
    Object.freeze(this)
  }

  toJSON(): TopicJSON {
    return {
      formatVersion: 1,
      name: this.name,
      table: this.table.toJSON(),
      ...(this.key === undefined ? {} : { key: this.key }),
      partitions: this.partitions,
      ...(this.replicationFactor === undefined ? {} : { replicationFactor: this.replicationFactor }),
      value: this.value,
    }
  }
}

const checkKey = (topic: Pick<TopicDefinition, 'name' | 'key' | 'table'>): void => {
  const where = `Topic ${topic.name}`
  if (topic.key !== undefined && topic.table.column(topic.key).metadata) {
    throw new ConfigurationError({
      code: 'TOPIC_KEY_INVALID',
      message: `${where}: the key cannot be '${topic.key}', which is a fact of the record and not part of its value.`,
    })
  }
  const keyType = topic.key === undefined ? undefined : topic.table.column(topic.key).type.kind
  if (keyType === 'list' || keyType === 'map' || keyType === 'struct' || keyType === 'binary') {
    throw new ConfigurationError({
      code: 'TOPIC_KEY_INVALID',
      message: `${where}: the key cannot be '${topic.key}': a ${keyType} has no text of its own; name a column that has.`,
    })
  }
}

/**
 * Defines the topic that carries a table's rows.
 *
 * @param definition `key`: the column whose text is the record key; `partitions`: default 1; `value`: default `json()`
 */
export const defineTopic = <
  Columns extends ColumnRecord,
  Partitions extends PartitionRecord,
  const Key extends string = never,
>(
  name: string,
  definition: {
    readonly table: TableDefinition<Columns, Partitions>
    readonly key?: KeyColumn<Columns, Key>
    readonly partitions?: number
    readonly replicationFactor?: number
    readonly value?: ValueEncoding<MemberPath<Columns>>
  },
): TopicDefinition<Columns, Partitions> =>
  new TopicDefinition<Columns, Partitions>(name, {
    ...definition,
    key: definition.key as string | undefined,
    value: (definition.value ?? json()) as ValueEncoding,
  })

/** A topic definition read from its serialised form. Throws a `ConfigurationError` when it is not one. */
export const topicFromJSON = (value: unknown): TopicDefinition => {
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion
  if (version !== 1) {
    throw new ConfigurationError({
      code: 'TOPIC_FORMAT_VERSION',
      message: `A topic definition of format version ${String(version)} cannot be read here; this package reads version 1.`,
    })
  }
  const topic = value as TopicJSON
  return new TopicDefinition(topic.name, { ...topic, table: tableFromJSON(topic.table) })
}

/** What a producer may pass as a record of the topic. */
export type InferRecord<T> =
  T extends TopicDefinition<infer Columns, infer Partitions>
    ? InferInput<TableDefinition<Columns, Partitions>>
    : never
