import type { Command } from '../command.ts'
import { journalVariables, sinkJournal } from '../sink-journal.ts'

const help = `Proves a sink's journal against its files: gaps, overlaps, missing or unknown files, row counts.

Usage: stockpipe verify s3://BUCKET/JOURNAL/SINK [options]
       stockpipe verify --config FILE [options]

  --config FILE    the sink of this file, as for 'stockpipe sink', with the file's own client
  --content        reads every row of compacted files too, and proves their checksums
  --json           the whole report as JSON on stdout

Exit status 0 when everything holds, 1 and a list when anything is off.
Where, without --config: ${journalVariables}.
`

export const verifyCommand: Command = {
  name: 'verify',
  summary: "prove that a sink's journal and files hold every row once",
  help,
  options: { json: { type: 'boolean' }, content: { type: 'boolean' }, config: { type: 'string' } },
  async run({ values, positionals }, io) {
    const { access, close } = await sinkJournal(positionals, values['config'], io)
    try {
      const { formatVerifyReport, verifySink } = await import('@stockpipe/s3-sink')
      const report = await verifySink({ ...access, content: values['content'] === true, signal: io.signal })
      io.stdout.write(
        values['json'] === true ? `${JSON.stringify(report, null, 2)}\n` : formatVerifyReport(report),
      )
      return report.ok ? 0 : 1
    } finally {
      await close()
    }
  },
}
