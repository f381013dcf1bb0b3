import {
  type PartitionCatalog,
  type PartitionPlacement,
  type PartitionRegistrar,
  StockpipeError,
} from '@stockpipe/core'
import type { MemoryObjectStore } from './memory-object-store.ts'

/** What a catalog knows of one table; shared by all who have a handle to it. */
export class MemoryPartitions {
  readonly partitions = new Map<string, PartitionPlacement>()
  /** Every location a partition was read from, in order. */
  readonly history = new Map<string, string[]>()

  set(key: string, partition: PartitionPlacement): void {
    this.partitions.set(key, partition)
    this.history.set(key, [...(this.history.get(key) ?? []), partition.location])
  }
}

const keyOf = (values: readonly (string | null)[]) => JSON.stringify(values)

/**
 * A catalog whose calls go through the interceptor of a store handle, so that the process that makes them dies, or is
 * late, at any of them. Changes are unconditional where they take effect, as Glue's are.
 */
export const memoryCatalog = (
  partitions: MemoryPartitions,
  store: MemoryObjectStore,
  now: () => number = () => 0,
): PartitionCatalog & PartitionRegistrar => {
  const call = async <T>(operation: string, key: string, apply: () => T): Promise<T> => {
    const made = { operation: operation as 'get', key, number: store.calls.length + 1 }
    store.calls.push(made)
    await Promise.resolve()
    return (await store.intercept(made, apply)) as T
  }
  const get = (values: readonly (string | null)[]) =>
    call('GetPartition', keyOf(values), () => partitions.partitions.get(keyOf(values)))
  const checkSigned = (signedBefore = Number.POSITIVE_INFINITY) => {
    if (now() >= signedBefore) throw new StockpipeError({ code: 'SIGNED_TOO_LATE', message: 'late' })
  }
  return {
    get,
    async switchLocation({ values, from, to, parameters }, { signedBefore } = {}) {
      const found = await get(values)
      if (!found) return 'gone'
      if (found.location === to) return 'switched'
      if (found.location !== from) return 'elsewhere'
      checkSigned(signedBefore)
      return call('UpdatePartition', keyOf(values), () => {
        if (!partitions.partitions.has(keyOf(values))) return 'gone' as const
        partitions.set(keyOf(values), { location: to, parameters: { ...found.parameters, ...parameters } })
        return 'switched' as const
      })
    },
    async create({ values, location, parameters }, { signedBefore } = {}) {
      if (await get(values)) return 'exists'
      checkSigned(signedBefore)
      return call('CreatePartition', keyOf(values), () => {
        if (partitions.partitions.has(keyOf(values))) return 'exists' as const
        partitions.set(keyOf(values), { location, parameters })
        return 'created' as const
      })
    },
    async drop({ values, from }, { signedBefore } = {}) {
      const found = await get(values)
      if (!found) return 'dropped'
      if (found.location !== from) return 'elsewhere'
      checkSigned(signedBefore)
      return call('DeletePartition', keyOf(values), () => {
        partitions.partitions.delete(keyOf(values))
        return 'dropped' as const
      })
    },
    async register(wanted) {
      for (const { values, location } of wanted) {
        if (!partitions.partitions.has(keyOf(values)))
          partitions.set(keyOf(values), { location, parameters: {} })
      }
    },
  }
}
