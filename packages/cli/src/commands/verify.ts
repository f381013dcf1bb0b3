import type { VerifyOptions } from '@stockpipe/s3-sink'
import { awsSettings } from '../aws-settings.ts'
import { type Command, type CommandIO, UsageError } from '../command.ts'
import { loadSinkConfig } from '../load-sink-config.ts'

const help = `Proves a sink's journal against its files: gaps, overlaps, missing or unknown files, row counts.

Usage: stockpipe verify s3://BUCKET/JOURNAL/SINK [options]
       stockpipe verify --config FILE [options]

  --config FILE    the sink of this file, as for 'stockpipe sink', with the file's own client
  --json           the whole report as JSON on stdout

Exit status 0 when everything holds, 1 and a list when anything is off.
Where, without --config: AWS_ENDPOINT_URL (a local stack), AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE.
`

export const verifyCommand: Command = {
  name: 'verify',
  summary: "prove that a sink's journal and files hold every row once",
  help,
  options: { json: { type: 'boolean' }, config: { type: 'string' } },
  async run({ values, positionals }, io) {
    const config = values['config']
    const { formatVerifyReport, verifySink } = await import('@stockpipe/s3-sink')
    const { options, close } =
      config === undefined ? await byAddress(positionals, io) : await byConfig(String(config), positionals)
    try {
      const report = await verifySink({ ...options, signal: io.signal })
      io.stdout.write(
        values['json'] === true ? `${JSON.stringify(report, null, 2)}\n` : formatVerifyReport(report),
      )
      return report.ok ? 0 : 1
    } finally {
      await close()
    }
  },
}

interface WhatToVerify {
  readonly options: VerifyOptions
  readonly close: () => Promise<void> | void
}

const byAddress = async (positionals: readonly string[], io: CommandIO): Promise<WhatToVerify> => {
  const [journal, ...others] = positionals
  if (journal === undefined || others.length > 0 || !/^s3:\/\/[^/]+\/.+\/[^/]+\/?$/.test(journal)) {
    throw new UsageError(
      'it takes one journal, s3://BUCKET/JOURNAL/SINK, such as s3://lake/_stockpipe/journal/trades, or --config FILE',
    )
  }
  const settings = awsSettings('S3', io.env)
  const { S3Client } = await import('@aws-sdk/client-s3')
  const client = new S3Client({ ...settings, forcePathStyle: settings.endpoint !== undefined })
  return { options: { client, journal }, close: () => client.destroy() }
}

const byConfig = async (file: string, positionals: readonly string[]): Promise<WhatToVerify> => {
  if (positionals.length > 0) throw new UsageError('it takes a journal or --config FILE, not both')
  const { sink, close } = await loadSinkConfig(file)
  const { journalOfSink } = await import('@stockpipe/s3-sink')
  return { options: journalOfSink(sink), close: async () => close?.() }
}
