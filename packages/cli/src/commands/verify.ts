import { awsSettings } from '../aws-settings.ts'
import { type Command, UsageError } from '../command.ts'

const help = `Proves a sink's journal against its files: gaps, overlaps, missing or unknown files, row counts.

Usage: stockpipe verify s3://BUCKET/JOURNAL/SINK [options]

  --json    the whole report as JSON on stdout

Exit status 0 when everything holds, 1 and a list when anything is off.
Where: AWS_ENDPOINT_URL (a local stack), AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE.
`

export const verifyCommand: Command = {
  name: 'verify',
  summary: "prove that a sink's journal and files hold every row once",
  help,
  options: { json: { type: 'boolean' } },
  async run({ values, positionals }, io) {
    const [journal, ...others] = positionals
    if (journal === undefined || others.length > 0 || !/^s3:\/\/[^/]+\/.+\/[^/]+\/?$/.test(journal)) {
      throw new UsageError(
        'it takes one journal, s3://BUCKET/JOURNAL/SINK, such as s3://lake/_stockpipe/journal/trades',
      )
    }
    const settings = awsSettings('S3', io.env)
    const [{ S3Client }, { formatVerifyReport, verifySink }] = await Promise.all([
      import('@aws-sdk/client-s3'),
      import('@stockpipe/s3-sink'),
    ])
    const client = new S3Client({ ...settings, forcePathStyle: settings.endpoint !== undefined })
    try {
      const report = await verifySink({ client, journal, signal: io.signal })
      io.stdout.write(
        values['json'] === true ? `${JSON.stringify(report, null, 2)}\n` : formatVerifyReport(report),
      )
      return report.ok ? 0 : 1
    } finally {
      client.destroy()
    }
  },
}
