import type { CompactionAccessOptions, CompactOptions } from '@stockpipe/s3-sink'
import { type CommandArguments, type CommandIO, UsageError } from './command.ts'
import { durationMillis } from './duration.ts'
import { type PartitionFilter, partitionFilter } from './partition-filter.ts'
import type { CompactionConfig } from './sink-config.ts'
import { sinkJournal } from './sink-journal.ts'

/** The options `compact` and `retire` share. */
export const compactionOptions = {
  config: { type: 'string' },
  partition: { type: 'string', multiple: true },
  'older-than': { type: 'string' },
  grace: { type: 'string' },
  'dry-run': { type: 'boolean' },
  json: { type: 'boolean' },
} as const

/** For the help of both. */
export const compactionHelp = `  --older-than DURATION  only partitions no group has written to for so long, such as 36h or 2d (default 24h)
  --grace DURATION       how long former files are kept, for queries that have listed them (default 24h)
  --dry-run              says what would be done, and does nothing
  --json                 the report as JSON on stdout`

/** What both work on. */
export interface CompactionSetup {
  readonly access: CompactionAccessOptions & Pick<CompactOptions, 'olderThanMillis'>
  readonly settings: CompactionConfig
  readonly partitions: PartitionFilter | undefined
  readonly dryRun: boolean
  readonly json: boolean
  readonly close: () => Promise<void> | void
}

/** Reads the configuration and the options. Throws a `UsageError` for a file without a catalog. */
export const compactionSetup = async (
  { values, positionals }: CommandArguments,
  io: CommandIO,
): Promise<CompactionSetup> => {
  if (values['config'] === undefined) throw new UsageError('it takes --config FILE')
  // What an interrupted run has written and not claimed is deleted first.
  io.endWithin?.(15_000)
  const duration = (name: string) => {
    const text = values[name]
    return typeof text === 'string' ? durationMillis(name, text) : undefined
  }
  const [olderThanMillis, graceMillis] = [duration('older-than'), duration('grace')]
  const journal = await sinkJournal(positionals, values['config'], io)
  const { access, config, close } = journal
  try {
    const settings = config?.compaction
    if (config === undefined || settings === undefined) {
      throw new UsageError(
        `${String(values['config'])} has no \`compaction: { catalog }\`, such as createPartitionCatalog({ client, table }) of @stockpipe/glue`,
      )
    }
    const { table } = config.sink
    const texts = (values['partition'] ?? []) as readonly string[]
    const { compactedLocation, betweenMillis } = settings
    return {
      access: {
        ...access,
        table,
        catalog: settings.catalog,
        ...(compactedLocation === undefined ? {} : { compactedLocation }),
        ...(betweenMillis === undefined ? {} : { betweenMillis }),
        ...given('olderThanMillis', olderThanMillis ?? settings.olderThanMillis),
        ...given('graceMillis', graceMillis ?? settings.graceMillis),
        signal: io.signal,
      },
      settings,
      partitions: texts.length === 0 ? undefined : partitionFilter(table.table, texts),
      dryRun: values['dry-run'] === true,
      json: values['json'] === true,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const given = <Name extends string>(
  name: Name,
  value: number | undefined,
): { readonly [_ in Name]?: number } =>
  value === undefined ? {} : ({ [name]: value } as { readonly [_ in Name]: number })
