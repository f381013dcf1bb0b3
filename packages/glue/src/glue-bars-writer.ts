import { readFile } from 'node:fs/promises'
import type { WorkerType } from '@aws-sdk/client-glue'
import { type ObjectStore, type Runtime, systemRuntime } from '@stockpipe/core'
import type { BarsDefinition } from './bars-definition.ts'
import { tradePartitionFilter } from './bars-statement.ts'
import type { BarsWriter } from './build-bars.ts'
import { glueColumnType } from './column-type.ts'
import type { GlueSender } from './glue-request.ts'
import { defineJob, type GlueJob } from './job-definition.ts'
import { listPartitions } from './list-partitions.ts'
import type { PollDelays } from './poller.ts'
import { refuseProjected } from './refuse-projected.ts'
import { type JobLogReader, type JobRunProgress, runJob } from './run-job.ts'

/** The PySpark script this package ships, for `uploadJobScript`. */
export const barsScript = (): Promise<string> =>
  readFile(new URL('../scripts/trades_to_bars.py', import.meta.url), 'utf8')

export interface BarsJobOptions {
  readonly name: string
  /** The IAM role by which it reads the trades and writes the bars. */
  readonly role: string
  /** Where `uploadJobScript` has put `barsScript()`. */
  readonly script: string
  /** Default `5.0`. */
  readonly glueVersion?: string
  /** Default `G.1X`. */
  readonly workerType?: WorkerType
  /** Default 2. */
  readonly numberOfWorkers?: number
  /** How many builds may run at once. Default 1. */
  readonly maxConcurrentRuns?: number
}

/** The job that makes bars by Spark, for `ensureJob` and `glueBarsWriter`. */
export const barsJob = (options: BarsJobOptions): GlueJob<'manifest', never> => {
  const { glueVersion = '5.0', workerType = 'G.1X', numberOfWorkers = 2, ...named } = options
  return defineJob({
    ...named,
    type: 'glueetl',
    description: 'Bars of trades, by @stockpipe/glue',
    glueVersion,
    workerType,
    numberOfWorkers,
    requiredArguments: ['manifest'],
  })
}

export interface GlueBarsWriterOptions {
  readonly client: GlueSender
  /** What `barsJob` makes, and `ensureJob` has made in Glue. */
  readonly job: GlueJob<'manifest', never>
  /** Of the bucket of the bars, where what a run is to do is kept while it runs. */
  readonly store: Pick<ObjectStore, 'putIfAbsent' | 'delete'>
  readonly timeoutMillis?: number
  readonly poll?: PollDelays
  readonly readLog?: JobLogReader
  readonly runtime?: Runtime
  readonly onProgress?: (progress: JobRunProgress) => void
}

/**
 * Writes bars by a run of Spark on Glue: the same bars as by Athena. It reads the folders that the catalog has of the
 * trades at its start. Throws as `runJob` and `listPartitions` do.
 */
export const glueBarsWriter = (options: GlueBarsWriterOptions): BarsWriter => {
  const { client, store, job, ...run } = options
  return async ({ bars, days, folder, signal }) => {
    const given = signal ? { signal } : {}
    const runtime = options.runtime ? { runtime: options.runtime } : {}
    const manifest = {
      ...barsManifest(bars, days),
      folders: await tradeFolders({ client, bars, days, ...runtime, ...given }),
      target: folder,
    }
    const key = `${bars.table.prefix}_manifests/${folder.slice(bars.table.location.length, -1)}.json`
    await store.putIfAbsent(key, new TextEncoder().encode(JSON.stringify(manifest)), given)
    try {
      await runJob({
        ...run,
        ...given,
        client,
        job,
        arguments: { manifest: `s3://${bars.table.bucket}/${key}` },
      })
    } finally {
      await store.delete(key).catch(() => {})
    }
  }
}

const barsManifest = (bars: BarsDefinition, days: readonly string[]) => {
  const { columns } = bars.source.table
  const used = [bars.symbol, bars.price, bars.size, bars.time, ...(bars.tieBreak ? [bars.tieBreak] : [])]
  const kindOf = (name: string) => bars.source.table.column(name).type.kind
  const price = kindOf(bars.price)
  return {
    minutes: bars.minutes ?? null,
    timeZone: bars.timeZone,
    days,
    columns: {
      symbol: bars.symbol,
      price: bars.price,
      size: bars.size,
      time: bars.time,
      tieBreak: bars.tieBreak ?? null,
    },
    schema: columns
      .filter(({ name }) => used.includes(name))
      .map(({ name, type }) => `\`${name}\` ${glueColumnType(type)}`)
      .join(', '),
    isNanos: kindOf(bars.time) === 'epochNanos',
    isFloating: price === 'double' || price === 'float',
    volume: glueColumnType(bars.table.table.column('volume').type),
  }
}

const tradeFolders = async (options: {
  readonly client: GlueSender
  readonly bars: BarsDefinition
  readonly days: readonly string[]
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
}): Promise<readonly string[]> => {
  const { bars, days, ...call } = options
  const { source } = bars
  if (source.table.partitions.length === 0) return [source.location]
  const { client, signal, runtime = systemRuntime } = options
  await refuseProjected({ client, runtime, signal }, source)
  const folders: string[] = []
  const where = tradePartitionFilter(bars, days)
  for await (const { location } of listPartitions({ ...call, table: source, where })) folders.push(location)
  return folders
}
