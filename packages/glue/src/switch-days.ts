import { type Runtime, StockpipeError } from '@stockpipe/core'
import { type BarsDefinition, barPartition } from './bars-definition.ts'
import { runFolder } from './bars-run.ts'
import { createPartitions } from './create-partitions.ts'
import { getPartitions } from './get-partitions.ts'
import { backOff, type GlueSender, maximumAttempts } from './glue-request.ts'
import { barsRunParameter, replacedParameter, replacedText } from './replaced-bars.ts'
import { updatePartitions } from './update-partitions.ts'

/** What became of days. */
export interface SwitchedDays {
  readonly created: string[]
  readonly replaced: string[]
  readonly empty: string[]
  readonly superseded: string[]
}

interface DaySwitch {
  readonly catalog: {
    readonly client: GlueSender
    readonly table: BarsDefinition['table']
    readonly runtime: Runtime
    readonly signal?: AbortSignal
  }
  readonly bars: BarsDefinition
  readonly days: readonly string[]
  readonly run: string
  /** Those of the days that have bars. */
  readonly written: ReadonlySet<string>
  readonly graceMillis: number | undefined
}

/**
 * Has the partitions of days read what a run has written, but for those that have the bars of a run that began later.
 * A day somebody else makes a partition of meanwhile is looked at again.
 */
export const switchDays = async (work: DaySwitch, outcome: SwitchedDays): Promise<void> => {
  let days = work.days
  for (let attempt = 1; ; attempt++) {
    days = await switchOnce({ ...work, days }, outcome)
    if (days.length === 0) return
    if (attempt === maximumAttempts) throw contended(work, days)
    await backOff(work.catalog, attempt)
  }
}

const contended = ({ bars: { table } }: DaySwitch, days: readonly string[]) =>
  new StockpipeError({
    code: 'BARS_CONTENDED',
    message: `Partitions of ${table.database}.${table.table.name} were made and deleted by somebody else while bars were to be put there: ${days.slice(0, 3).join(', ')}. Find out who does, and build the days again.`,
    retryable: true,
    facts: { days: days.length },
  })

/** Answers the days that have a partition meanwhile. */
const switchOnce = async (work: DaySwitch, outcome: SwitchedDays): Promise<readonly string[]> => {
  const { catalog, bars, days, run, written } = work
  const folder = runFolder(bars, run)
  const { found } = await getPartitions({ ...catalog, partitions: days.map((date) => ({ bar_date: date })) })
  const existing = new Map(found.map((partition) => [partition.values.bar_date, partition]))
  const placed = (date: string) => ({
    values: { bar_date: date },
    location: `${folder}${barPartition}=${date}/`,
  })
  const { switched } = await createPartitions({
    ...catalog,
    partitions: days
      .filter((date) => !existing.has(date) && written.has(date))
      .map((date) => ({ ...placed(date), parameters: { [barsRunParameter]: run } })),
  })
  const again = new Set(switched.map(({ values }) => values.bar_date))
  const later = new Set(
    found
      .filter(({ parameters }) => (parameters[barsRunParameter] ?? '') > run)
      .map(({ values }) => values.bar_date),
  )
  await updatePartitions({
    ...catalog,
    partitions: found
      .filter(({ values }) => !later.has(values.bar_date))
      .map((partition) => ({
        ...placed(partition.values.bar_date ?? ''),
        columns: 'definition' as const,
        parameters: {
          [barsRunParameter]: run,
          [replacedParameter]: replacedText(bars, partition, catalog.runtime.now(), work.graceMillis),
        },
      })),
  })
  for (const date of days) {
    if (again.has(date)) continue
    if (later.has(date)) outcome.superseded.push(date)
    else if (!written.has(date)) outcome.empty.push(date)
    else if (existing.has(date)) outcome.replaced.push(date)
    else outcome.created.push(date)
  }
  return [...again].filter((date) => date !== null)
}
