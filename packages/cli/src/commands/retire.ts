import { type Command, UsageError } from '../command.ts'
import { compactionHelp, compactionOptions, compactionSetup } from '../compaction-setup.ts'
import { retirementText } from '../format/compaction.ts'

const help = `Gives up the rows of closed partitions: queries see none of them any more; the files are deleted after a grace time.

Usage: stockpipe retire --config FILE --partition NAME=VALUE[/…] [options]

  --config FILE          the sink of this file, as for 'stockpipe sink', with \`compaction: { catalog }\`
  --partition NAME=VALUE[/…]  which partitions, such as trade_date=2020-01-02: all that have these values; may be repeated
  --yes                  does not ask; at no terminal nothing is retired without it
${compactionHelp}

The catalog has an empty folder for them at once. A later run of this, or of 'stockpipe compact', deletes the files when the
grace time is over, and takes the partitions out of the catalog. Rows that come later are seen alone, never with the former
ones: within the grace time from the next 'stockpipe compact' on. The journal tells that the rows were given up, so
'stockpipe verify' goes on holding.

Exit status 0 when nothing was refused, 1 and the reasons otherwise.
`

export const retireCommand: Command = {
  name: 'retire',
  summary: 'give up the rows of partitions, and delete their files later',
  help,
  options: { ...compactionOptions, yes: { type: 'boolean' } },
  async run(input, io) {
    const { access, partitions, dryRun, json, close } = await compactionSetup(input, io)
    try {
      if (partitions === undefined) throw new UsageError('it takes --partition, at least once')
      const { retirePartitions } = await import('@stockpipe/s3-sink')
      const options = { ...access, partitions }
      const plan = await retirePartitions({ ...options, dryRun: true })
      const planned = plan.partitions.filter(({ outcome }) => outcome === 'planned')
      if (!dryRun && planned.length > 0 && input.values['yes'] !== true) {
        io.stderr.write(retirementText(plan))
        const answer = await io.ask?.(`Give up the rows of these ${planned.length} partitions? yes/no: `)
        if (answer?.trim().toLowerCase() !== 'yes') {
          io.stderr.write(
            answer === undefined
              ? 'stockpipe retire: nothing was retired; give --yes if it is meant.\n'
              : 'stockpipe retire: nothing was retired.\n',
          )
          return 1
        }
      }
      const report = dryRun ? plan : await retirePartitions(options)
      io.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : retirementText(report))
      return report.ok ? 0 : 1
    } finally {
      await close()
    }
  },
}
