import { batchCompression } from '../src/compression.ts'
import { type DeliveryReport, SendCall } from '../src/delivery-report.ts'
import type { DeliverySettings } from '../src/delivery-settings.ts'
import { batchLimits, type OutgoingRecord } from '../src/outgoing-records.ts'
import { RecordDelivery } from '../src/record-delivery.ts'
import { FakeCluster } from './fake-cluster.ts'
import { ManualRuntime, settled } from './manual-runtime.ts'

export const recordTo = (partition: number, value: string): OutgoingRecord => ({
  key: null,
  keyBytes: 0,
  value,
  valueBytes: Buffer.byteLength(value),
  partition,
})

export interface DeliveryUnderTest {
  readonly cluster: FakeCluster
  readonly runtime: ManualRuntime
  readonly delivery: RecordDelivery
  /** Sends a record a value to its partition. */
  send(records: readonly (readonly [partition: number, value: string])[]): Promise<DeliveryReport>
  /** What the partitions hold. */
  held(): string[][]
}

/** A delivery over a cluster in memory, in time that passes when told to. */
export const deliveryUnderTest = async (
  options: Partial<DeliverySettings> & { readonly cluster?: FakeCluster; readonly seed?: number } = {},
): Promise<DeliveryUnderTest> => {
  const { cluster = new FakeCluster(), seed, ...settings } = options
  const runtime = new ManualRuntime(seed)
  const delivery = new RecordDelivery({
    topic: 'trades',
    partitions: cluster.partitions.length,
    connection: cluster,
    compression: await batchCompression('none'),
    limits: batchLimits({}),
    lingerMillis: 0,
    maxInFlightRequests: 5,
    retries: Number.POSITIVE_INFINITY,
    deliveryTimeoutMillis: 120_000,
    runtime,
    ...settings,
  })
  return {
    cluster,
    runtime,
    delivery,
    send: (records) => {
      const call = new SendCall('trades', records.length)
      call.done.catch(() => {})
      delivery.add(
        records.map(([partition, value]) => recordTo(partition, value)),
        call,
      )
      return call.done
    },
    held: () => cluster.partitions.map(({ records }) => records.map(({ value }) => value)),
  }
}

export { settled }
