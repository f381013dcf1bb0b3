import type { Partition, StorageDescriptor } from '@aws-sdk/client-glue'
import { type ColumnChange, checkEvolution } from './check-evolution.ts'
import { writeBatchSize } from './create-partitions.ts'
import type { PartitionFailure } from './errors.ts'
import type { GlueCall } from './glue-request.ts'
import { pagesOf } from './list-partitions.ts'
import { comparePartition } from './partition-difference.ts'
import { batchError, batchesOf } from './partition-request.ts'
import type { NamedTable } from './partition-values.ts'
import { listedColumns } from './table-changes.ts'
import type { PlannedPartitions, PlannedTable, TableChange } from './table-plan.ts'
import { updateBatch } from './update-partitions.ts'

/** The planned table as partitions and messages name it. */
const namedTable = ({ database, name, wanted }: PlannedTable): NamedTable => ({
  database,
  table: {
    name,
    partitions: (wanted.input.PartitionKeys ?? []).map(({ Name }) => ({ name: Name ?? '' })),
  },
})

/** Page by page, how many partitions there are, and those with columns, formats or a SerDe that are not those wanted. */
async function* olderPages(
  call: GlueCall,
  planned: PlannedTable,
): AsyncGenerator<{ readonly registered: number; readonly older: readonly Partition[] }, void> {
  const wanted = planned.wanted.input.StorageDescriptor ?? {}
  for await (const page of pagesOf(call, namedTable(planned), { expression: '', columns: true })) {
    yield {
      registered: page.length,
      older: page.filter((partition) => comparePartition(partition, wanted).length > 0),
    }
  }
}

/** Counts the registered partitions that are not as the table is to be, and says what each difference does. */
export const compareOlderPartitions = async (
  call: GlueCall,
  planned: PlannedTable,
): Promise<{ readonly partitions: PlannedPartitions; readonly changes: readonly TableChange[] }> => {
  const wanted = planned.wanted.input.StorageDescriptor ?? {}
  const differences = new Map<string, { count: number; told: Told }>()
  // Partitions of one time have the same columns: each list is compared once.
  const known = new Map<string, readonly Told[]>()
  let [registered, older] = [0, 0]
  for await (const page of olderPages(call, planned)) {
    registered += page.registered
    older += page.older.length
    for (const { StorageDescriptor: has = {} } of page.older) {
      const key = JSON.stringify([has.Columns, has.InputFormat, has.OutputFormat, has.SerdeInfo])
      const told = known.get(key) ?? toldOf(has, wanted)
      if (known.size < 1000) known.set(key, told)
      for (const one of told) {
        const id = JSON.stringify([one.what, one.before, one.after])
        const counted = differences.get(id) ?? { count: 0, told: one }
        counted.count += 1
        differences.set(id, counted)
      }
    }
  }
  const partitions = { registered, older }
  if (older === 0) return { partitions, changes: [] }
  const changes: TableChange[] = [
    {
      kind: 'change',
      what: `${older} of ${registered} registered partitions`,
      before: 'older',
      after: 'as defined',
      reason: 'each keeps the columns it was registered with until it is given those of the table',
    },
  ]
  for (const { count, told } of differences.values()) {
    changes.push({ ...told, what: `${told.what} of ${count} of them` })
  }
  return { partitions, changes }
}

type Told = Omit<TableChange, 'kind'> & { readonly kind: 'change' }

/** The differences that matter: a column that is missing, dropped or elsewhere in the list is found by its name. */
const toldOf = (has: StorageDescriptor, wanted: StorageDescriptor): readonly Told[] => {
  const told: Told[] = []
  const [before, after] = [listedColumns(has.Columns), listedColumns(wanted.Columns)]
  const until = retyped(checkEvolution(before, after, { partitionSchemas: 'own' }).changes)
  const then = retyped(checkEvolution(before, after, { partitionSchemas: 'none' }).changes)
  for (const [column, verdicts] of until) {
    const { before: was = '', after: is = '' } = verdicts[0] as ColumnChange
    const harm = then.get(column)?.find(({ outcome }) => outcome === 'error' || outcome === 'lossy')
    const reason = harm?.reason ?? untilMended(verdicts)
    if (reason === undefined) continue
    told.push({
      kind: 'change',
      what: `column ${column}`,
      before: was,
      after: is,
      reason,
      ...(harm === undefined ? {} : { destructive: 'break-data' }),
    })
  }
  const formats = [
    ['input format', has.InputFormat, wanted.InputFormat],
    ['output format', has.OutputFormat, wanted.OutputFormat],
    ['SerDe', has.SerdeInfo?.SerializationLibrary, wanted.SerdeInfo?.SerializationLibrary],
  ] as const
  for (const [what, was, is] of formats) {
    if (was === is) continue
    told.push({
      kind: 'change',
      what,
      before: was ?? 'none',
      after: is ?? 'none',
      reason: 'what is not in this format is no longer read',
      // Without one nothing is read of it as it is.
      ...(was ? { destructive: 'break-data' } : {}),
    })
  }
  return told
}

/** By column: a nested type may differ in several places. */
const retyped = (changes: readonly ColumnChange[]): ReadonlyMap<string, readonly ColumnChange[]> => {
  const columns = new Map<string, ColumnChange[]>()
  for (const change of changes) {
    if (change.kind !== 'retyped') continue
    columns.set(change.column, [...(columns.get(change.column) ?? []), change])
  }
  return columns
}

/** What queries get of the partition as long as it keeps the column's older type. */
const untilMended = (verdicts: readonly ColumnChange[]): string | undefined => {
  const failure = verdicts.find(({ outcome }) => outcome === 'error')
  if (failure?.outcome === 'error') return `until then queries end with ${failure.error}`
  if (verdicts.some(({ outcome }) => outcome === 'read')) {
    return 'until then files of the new type end queries with an error there'
  }
  return verdicts.some(({ outcome }) => outcome === 'null')
    ? 'until then the new field is NULL there in new files too, without an error'
    : undefined
}

const notInPlan = ({ what, before, after, reason }: Told) => ({
  serviceError: 'ChangeNotPlanned',
  message: `${what} ${before} -> ${after} is not in the plan (${reason}); plan again`,
})

/** The first change of a partition by which something can be lost and that the plan does not name. */
const unsaidChange = ({ changes }: PlannedTable, told: readonly Told[]): Told | undefined =>
  told.find(
    ({ what, before, after, destructive }) =>
      destructive !== undefined &&
      !changes.some(
        (said) =>
          said.destructive === destructive &&
          said.what.startsWith(`${what} of `) &&
          said.before === before &&
          said.after === after,
      ),
  )

/**
 * Gives the older partitions the columns, formats and SerDe of the table, 100 a call; locations and parameters stay. `check`
 * is asked before each batch and throws when another has changed the table. Answers how many were changed; those that have
 * been changed by then are not found again, so that it may be repeated.
 *
 * Throws a `PartitionBatchError` that lists those not changed, when all others are; `ChangeNotPlanned` are those by whose
 * change something could be lost that the plan does not name.
 */
export const mendOlderPartitions = async (
  call: GlueCall,
  planned: PlannedTable,
  check: () => Promise<void>,
  onProgress: (done: number) => void,
): Promise<number> => {
  const table = namedTable(planned)
  const descriptor = planned.wanted.input.StorageDescriptor ?? {}
  const failures: PartitionFailure[] = []
  let done = 0
  for await (const { older } of olderPages(call, planned)) {
    const items = []
    for (const { Values: values = [], StorageDescriptor: has = {} } of older) {
      const unsaid = unsaidChange(planned, toldOf(has, descriptor))
      if (unsaid === undefined) items.push({ values, update: { columns: 'definition' } as const })
      else failures.push({ values, location: has.Location ?? '', ...notInPlan(unsaid) })
    }
    for (const batch of batchesOf(items, writeBatchSize)) {
      await check()
      const failed = await updateBatch(call, table, batch, (Location) => ({ ...descriptor, Location }))
      // One that was dropped meanwhile has nothing to be mended.
      failures.push(...failed.filter(({ serviceError }) => serviceError !== 'EntityNotFoundException'))
      done += batch.length - failed.length
      onProgress(done)
    }
  }
  if (failures.length === 0) return done
  throw batchError(table, 'BatchUpdatePartition', failures, done + failures.length)
}
