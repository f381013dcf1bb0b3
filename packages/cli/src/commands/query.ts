import type { TextResult } from '@stockpipe/athena'
import { awsSettings } from '../aws-settings.ts'
import { type Command, UsageError } from '../command.ts'
import { formatCsv } from '../format/csv.ts'
import { formatJson } from '../format/json.ts'
import { formatTable } from '../format/table.ts'

const help = `Runs SQL on Athena and prints the answer.

Usage: stockpipe query SQL [options]

  --database NAME            database of tables named without one (default: default)
  --format FORMAT            table, csv or json (default table)
  --output-location S3_URI   where Athena keeps results, s3://bucket/prefix/ (default: as the work group says)
  --work-group NAME          (default: primary)

Rows go to stdout; what the query scanned and took goes to stderr.
Where: AWS_ENDPOINT_URL (a local stack), AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE.
`

const formats = ['table', 'csv', 'json'] as const
type Format = (typeof formats)[number]

const formatOf = (value: string | boolean | undefined): Format => {
  const format = formats.find((candidate) => candidate === (value ?? 'table'))
  if (format !== undefined) return format
  throw new UsageError(`--format takes ${formats.join(', ')}, not '${String(value)}'`)
}

const formatted = (result: TextResult, format: Format, styled: boolean): string => {
  if (format === 'csv') return formatCsv(result)
  return format === 'json' ? formatJson(result) : formatTable(result, styled)
}

const bytesText = (bytes: number): string => {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

const facts = (result: TextResult): string => {
  const count = result.rows.length === 0 && result.updateCount ? result.updateCount : result.rows.length
  const rows = `${count.toLocaleString('en-US')} ${count === 1 ? 'row' : 'rows'}`
  return `${rows}, ${bytesText(result.scannedBytes)} scanned, ${(result.executionMillis / 1000).toFixed(1)} s, query ${result.queryExecutionId}`
}

export const queryCommand: Command = {
  name: 'query',
  summary: 'run SQL on Athena and print the answer as a table, CSV or JSON',
  help,
  options: {
    database: { type: 'string' },
    format: { type: 'string' },
    'output-location': { type: 'string' },
    'work-group': { type: 'string' },
  },
  async run({ values, positionals }, io) {
    const [statement, ...others] = positionals
    if (statement === undefined || statement.trim() === '') {
      throw new UsageError(`it takes the SQL as its argument, such as 'SELECT count(*) FROM trades'`)
    }
    if (others.length > 0) throw new UsageError('it takes one argument: put the SQL in quotes')
    const format = formatOf(values['format'] as string | undefined)
    const outputLocation = values['output-location'] as string | undefined
    if (outputLocation !== undefined && !/^s3:\/\/[^/]+/.test(outputLocation)) {
      throw new UsageError(`--output-location takes s3://bucket/prefix/, not '${outputLocation}'`)
    }
    const workGroup = values['work-group'] as string | undefined
    const settings = awsSettings('Athena', io.env)
    const [{ AthenaClient }, { createAthena }] = await Promise.all([
      import('@aws-sdk/client-athena'),
      import('@stockpipe/athena'),
    ])
    const client = new AthenaClient(settings)
    try {
      const athena = createAthena({
        client,
        database: (values['database'] as string | undefined) ?? 'default',
        ...(outputLocation === undefined ? {} : { outputLocation }),
        ...(workGroup === undefined ? {} : { workGroup }),
      })
      const result = await athena.queryText({ sql: statement, signal: io.signal })
      io.stdout.write(formatted(result, format, io.stdout.isTTY === true && !io.env['NO_COLOR']))
      io.stderr.write(`${facts(result)}\n`)
      return 0
    } finally {
      client.destroy()
    }
  },
}
