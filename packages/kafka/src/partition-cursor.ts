import type { PartitionedSink, PartitionPosition } from '@stockpipe/core'

/** Why a partition is not fetched from. */
export type Hold = 'unpositioned' | 'sinkFull' | 'reached' | 'ending'

export const partitionKey = (topic: string, partition: number): string => `${topic}/${partition}`

/** A partition this member owns in the present generation of the group. */
export class PartitionCursor {
  readonly topic: string
  readonly partition: number
  readonly sink: PartitionedSink
  /** The offset where `until: 'latest'` ends. */
  readonly target: bigint | undefined
  readonly holds = new Set<Hold>(['unpositioned'])
  /** Aborted when the partition leaves this member or its position is given up. */
  lost = new AbortController()
  /** The offset of the next record to hand over; undefined until the sink has answered. */
  position: bigint | undefined
  /** Where the sink stands: behind `position` after markers and aborted records, which it is never shown. */
  handedTo = 0n
  /** Where kafkajs stands after batches in which it found nothing to hand over, beyond a hole not yet vouched for. */
  skippedTo: bigint | undefined
  /** The log's end as last heard of. */
  logEnd = 0n
  /** Whether a batch is being handed over. */
  busy = false
  /** Times it was fenced since something was last published. */
  fencings = 0

  constructor(topic: string, partition: number, sink: PartitionedSink, target: bigint | undefined) {
    this.topic = topic
    this.partition = partition
    this.sink = sink
    this.target = target
  }

  get reached(): boolean {
    return this.target !== undefined && this.position !== undefined && this.position >= this.target
  }

  /** Records still to hand over, as far as is known. */
  get lag(): bigint {
    if (this.position === undefined) return 0n
    const lag = (this.target ?? this.logEnd) - this.position
    return lag > 0n ? lag : 0n
  }

  place(position: PartitionPosition, logEnd: bigint): void {
    this.position = position.offset
    this.handedTo = position.offset
    this.skippedTo = undefined
    this.logEnd = logEnd
    this.lost = new AbortController()
  }

  /** Gives the position up: what is being handed over is not waited for any more. */
  displace(): void {
    this.position = undefined
    this.lost.abort()
  }
}
