import type { JournalAccessOptions } from '@stockpipe/s3-sink'
import { awsSettings } from './aws-settings.ts'
import { type CommandArguments, type CommandIO, UsageError } from './command.ts'
import { loadSinkConfig } from './load-sink-config.ts'
import type { SinkConfig } from './sink-config.ts'

/** The journal a command works on, and how it is reached. */
export interface SinkJournal {
  readonly access: JournalAccessOptions
  /** The file's configuration, where one is given. */
  readonly config?: SinkConfig
  readonly close: () => Promise<void> | void
}

/** For the help: what `sinkJournal` takes where no file is given. */
export const journalVariables =
  'AWS_ENDPOINT_URL (a local stack), AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE'

/**
 * The journal at an address, with the usual variables, or the one of a sink's configuration (`--config FILE`), with the
 * file's own client. Throws a `UsageError` for neither, both, or an address that is none.
 */
export const sinkJournal = async (
  positionals: readonly string[],
  config: CommandArguments['values'][string],
  io: CommandIO,
): Promise<SinkJournal> => {
  if (config !== undefined) return byConfig(String(config), positionals)
  const [journal, ...others] = positionals
  if (journal === undefined || others.length > 0 || !/^s3:\/\/[^/]+\/.+\/[^/]+\/?$/.test(journal)) {
    throw new UsageError(
      'it takes one journal, s3://BUCKET/JOURNAL/SINK, such as s3://lake/_stockpipe/journal/trades, or --config FILE',
    )
  }
  const settings = awsSettings('S3', io.env)
  const { S3Client } = await import('@aws-sdk/client-s3')
  const client = new S3Client({ ...settings, forcePathStyle: settings.endpoint !== undefined })
  return { access: { client, journal }, close: () => client.destroy() }
}

const byConfig = async (file: string, positionals: readonly string[]): Promise<SinkJournal> => {
  if (positionals.length > 0) throw new UsageError('it takes a journal or --config FILE, not both')
  const config = await loadSinkConfig(file)
  const { journalOfSink } = await import('@stockpipe/s3-sink')
  return { access: journalOfSink(config.sink), config, close: async () => config.close?.() }
}
