import { channels, type TopicPartition } from '@stockpipe/core'

export interface ServiceHealthOptions {
  readonly sink: string
  readonly groupId: string
}

/** Whether a service is well, and whether it does its work; from what the channels say. */
export class ServiceHealth {
  /** What the group gave this member; undefined until it has joined. */
  #given: readonly TopicPartition[] | undefined
  /** Where reading of a partition began, and up to where it is published since. */
  readonly #positions = new Map<string, bigint>()
  #draining = false
  #failure: string | undefined
  #storeAnswers = true
  readonly #ends: (() => void)[]

  constructor({ sink, groupId }: ServiceHealthOptions) {
    const ours = (event: { readonly sink: string }) => event.sink === sink
    const member = (event: { readonly groupId: string }) => event.groupId === groupId
    this.#ends = [
      channels.kafka.joined.subscribe((event) => {
        if (member(event)) this.#given = event.partitions
      }),
      channels.kafka.assigned.subscribe((event) => {
        if (!member(event)) return
        for (const position of event.partitions) this.#positions.set(nameOf(position), position.offset)
      }),
      channels.kafka.revoked.subscribe((event) => {
        if (!member(event) || this.#draining) return
        for (const partition of event.partitions) this.#positions.delete(nameOf(partition))
      }),
      channels.s3Sink.group.subscribe((event) => {
        if (ours(event)) this.#positions.set(nameOf(event), event.next)
      }),
      channels.s3Sink.failed.subscribe((event) => {
        if (ours(event)) this.#failure ??= `${nameOf(event)} failed: ${event.error.message}`
      }),
      channels.s3Sink.request.subscribe((event) => {
        if (ours(event) && event.outcome !== 'aborted') this.#storeAnswers = event.outcome !== 'unknown'
      }),
    ]
  }

  /** Why the process should be started anew; undefined when it should not. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** What keeps the service from its work. */
  get hindrances(): readonly string[] {
    if (this.#draining) return ['it is draining']
    return [
      ...(this.#failure === undefined ? [] : [this.#failure]),
      ...this.#unread(),
      ...(this.#storeAnswers ? [] : ['the object store did not answer the last request']),
    ]
  }

  /** From now on it ends. */
  drain(): void {
    this.#draining = true
  }

  /** Everything of this partition below the offset is published, as far as this process knows. */
  publishedTo(partition: TopicPartition): bigint | undefined {
    return this.#positions.get(nameOf(partition))
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  #unread(): string[] {
    if (this.#given === undefined) return ['it has not joined its consumer group']
    const unread = this.#given.map(nameOf).filter((name) => !this.#positions.has(name))
    return unread.length === 0 ? [] : [`the position of ${unread.join(', ')} is not known yet`]
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
