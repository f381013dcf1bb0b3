import type { CompactionProgress } from '@stockpipe/s3-sink'
import type { Command, CommandIO } from '../command.ts'
import { compactionHelp, compactionOptions, compactionSetup } from '../compaction-setup.ts'
import { compactionText } from '../format/compaction.ts'

const help = `Makes few sorted files of the many small ones of each closed partition, and switches the catalog to them.

Usage: stockpipe compact --config FILE [options]

  --config FILE          the sink of this file, as for 'stockpipe sink', with \`compaction: { catalog }\`
  --partition NAME=VALUE[/…]  only these partitions; may be repeated
${compactionHelp}

Queries read the former files or the new ones, never both, and 'stockpipe verify' holds all the while. What an earlier run
began is finished; former files are deleted by a later run, when their grace time is over. Rows that came to a partition after it
was compacted are read from the next run on, so run it as often as they may be late: every hour, or every day. Safe beside
sinks, queries and other runs, and to interrupt: the next run goes on.

Exit status 0 when nothing was refused, 1 and the reasons otherwise.
`

const progressMillis = 5000

/** A line on stderr now and then. */
const progressLines = ({ stderr }: CommandIO): ((progress: CompactionProgress) => void) => {
  const number = new Intl.NumberFormat('en-US')
  let due = performance.now() + progressMillis
  return ({ partition, partitions, of, rows }) => {
    if (performance.now() < due) return
    due = performance.now() + progressMillis
    const read = rows === 0 ? '' : `, ${number.format(rows)} rows read`
    stderr.write(`${number.format(partitions)} of ${number.format(of)} partitions; ${partition}${read}\n`)
  }
}

export const compactCommand: Command = {
  name: 'compact',
  summary: 'make few sorted files of the many of each closed partition',
  help,
  options: compactionOptions,
  async run(input, io) {
    const { access, settings, partitions, dryRun, json, close } = await compactionSetup(input, io)
    try {
      const { compactPartitions } = await import('@stockpipe/s3-sink')
      const { catalog: _, ...writing } = settings
      const report = await compactPartitions({
        ...writing,
        ...access,
        ...(partitions ? { partitions } : {}),
        dryRun,
        onProgress: progressLines(io),
      })
      io.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : compactionText(report))
      return report.ok ? 0 : 1
    } finally {
      await close()
    }
  },
}
