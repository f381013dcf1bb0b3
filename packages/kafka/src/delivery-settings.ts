import type { Runtime } from '@stockpipe/core'
import type { BatchCompression } from './compression.ts'
import type { DeliveryFailure } from './delivery-failure.ts'
import type { BatchLimits } from './outgoing-records.ts'
import type { ProducerConnection } from './producer-connection.ts'

export interface DeliverySettings {
  readonly topic: string
  readonly partitions: number
  readonly connection: ProducerConnection
  readonly compression: BatchCompression
  readonly limits: BatchLimits
  readonly lingerMillis: number
  readonly maxInFlightRequests: number
  readonly retries: number
  readonly deliveryTimeoutMillis: number
  readonly runtime: Runtime
  /** Called for each batch, in order within its partition; `baseOffset` is -1 when the broker no longer knew it. */
  readonly onAcknowledged?: (partition: number, baseOffset: bigint, records: number) => void
  /** Called for each batch that is given up. */
  readonly onFailed?: (failure: DeliveryFailure) => void
  /** Called when fewer bytes are buffered than before. */
  readonly onRoom?: () => void
}

/** What a producer has done so far. */
export interface ProducerStatistics {
  /** Rows acknowledged. */
  readonly acknowledgedRows: number
  readonly acknowledgedBatches: number
  readonly requests: number
  /** Attempts after the first one of a batch. */
  readonly retriedBatches: number
  /** Of those, the ones whose former attempt may have been written: the broker tells repeats by their sequence number. */
  readonly repeatedBatches: number
  /** Attempts that went to another leader than the partition's last one. */
  readonly leaderMoves: number
  /** Batches given up. */
  readonly failedBatches: number
}

/** Of a producer that has done nothing yet. */
export const noStatistics: ProducerStatistics = Object.freeze({
  acknowledgedRows: 0,
  acknowledgedBatches: 0,
  requests: 0,
  retriedBatches: 0,
  repeatedBatches: 0,
  leaderMoves: 0,
  failedBatches: 0,
})
