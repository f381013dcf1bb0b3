import type { BoundTable } from '@stockpipe/core'
import { systemRuntime } from '@stockpipe/core'
import type { CatalogTable, DriftReport } from '@stockpipe/glue'
import { awsSettings } from '../aws-settings.ts'
import { type CommandArguments, type CommandIO, UsageError } from '../command.ts'
import { type DataFolder, driftFiles } from '../drift-files.ts'
import { driftText } from '../format/drift.ts'

/** The exit status when something has drifted. */
const drifted = 3

/** `stockpipe table drift`: definition, catalog, partitions and footers of files beside each other. */
export const tableDrift = async (
  tables: readonly CatalogTable[],
  glue: typeof import('@stockpipe/glue'),
  client: import('@aws-sdk/client-glue').GlueClient,
  values: CommandArguments['values'],
  io: CommandIO,
): Promise<number> => {
  const [filesPerFolder, sample] = [countOf(values, 'files', 1), countOf(values, 'sample', Infinity)]
  const settings = awsSettings('S3', io.env)
  const [{ S3Client }, { createS3ObjectStore }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@stockpipe/s3-sink'),
  ])
  const s3 = new S3Client({ ...settings, forcePathStyle: settings.endpoint !== undefined })
  const storeOf = (bucket: string) => createS3ObjectStore({ client: s3, bucket })
  const { signal } = io
  const reports: { readonly table: string; readonly report: DriftReport }[] = []
  try {
    for (const { table, partitioning } of tables) {
      const bound = table as BoundTable
      const registered = bound.table.partitions.length > 0 && partitioning?.kind !== 'projected'
      const folders = registered
        ? sampled(foldersOf(glue.listPartitions({ client, table: bound, signal })), sample)
        : { location: bound.location }
      const files = filesPerFolder === 0 ? [] : driftFiles({ folders, filesPerFolder, storeOf, signal })
      const report = await glue.checkDrift({ client, table: bound, files, signal })
      reports.push({ table: `${bound.database}.${bound.table.name}`, report })
      if (values['json'] !== true) io.stdout.write(driftText(reports.at(-1)!))
    }
  } finally {
    s3.destroy()
  }
  if (values['json'] === true) {
    const plain = reports.map(({ table, report }) => ({ table, ...report }))
    io.stdout.write(`${JSON.stringify(plain, null, 2)}\n`)
  }
  return reports.every(({ report }) => report.ok) ? 0 : drifted
}

const countOf = (values: CommandArguments['values'], name: 'files' | 'sample', otherwise: number): number => {
  const text = values[name]
  if (text === undefined) return otherwise
  if (name === 'files' && text === 'all') return Infinity
  const count = Number(text)
  if (typeof text !== 'string' || !/^\d+$/.test(text) || (name === 'sample' && count === 0)) {
    throw new UsageError(
      name === 'files'
        ? `--files takes a number or 'all', not '${text}'`
        : `--sample takes a number of partitions above 0, not '${text}'`,
    )
  }
  return count
}

type Listed = ReturnType<typeof import('@stockpipe/glue').listPartitions>

async function* foldersOf(partitions: Listed): AsyncGenerator<DataFolder, void> {
  for await (const { location, values } of partitions) {
    yield { location: `${location.replace(/\/+$/, '')}/`, values }
  }
}

/** So many of them, each as likely as any other; all of them as they come when no number is given. */
async function* sampled(folders: AsyncIterable<DataFolder>, count: number): AsyncGenerator<DataFolder, void> {
  if (count === Infinity) return yield* folders
  const taken: DataFolder[] = []
  let seen = 0
  for await (const folder of folders) {
    seen += 1
    const place = taken.length < count ? taken.length : Math.floor(systemRuntime.random() * seen)
    if (place < count) taken[place] = folder
  }
  yield* taken
}
