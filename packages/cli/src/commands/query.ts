import type { TextResult } from '@stockpipe/athena'
import { awsSettings } from '../aws-settings.ts'
import { type Command, print, UsageError } from '../command.ts'
import { csvPrinter } from '../format/csv.ts'
import { jsonPrinter } from '../format/json.ts'
import { tablePrinter } from '../format/table.ts'
import type { TextPrinter } from '../format/text-table.ts'
import { ProgressLine } from '../progress-line.ts'

const help = `Runs SQL on Athena and prints the answer.

Usage: stockpipe query SQL [options]

  --database NAME            database of tables named without one (default: default)
  --format FORMAT            table, csv or json (default table)
  --output-location S3_URI   where Athena keeps results, s3://bucket/prefix/ (default: as the work group says)
  --work-group NAME          (default: primary)

Rows go to stdout as they come: the first page from Athena, the others from the object of the result in S3 where that can be
read. What the query scanned and took goes to stderr, on a terminal also how far it is. Ctrl-C stops the query.
Where: AWS_ENDPOINT_URL (a local stack), AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE.
`

const formats = ['table', 'csv', 'json'] as const
type Format = (typeof formats)[number]

const formatOf = (value: string | boolean | undefined): Format => {
  const format = formats.find((candidate) => candidate === (value ?? 'table'))
  if (format !== undefined) return format
  throw new UsageError(`--format takes ${formats.join(', ')}, not '${String(value)}'`)
}

const printerOf = (format: Format, styled: boolean): TextPrinter => {
  if (format === 'csv') return csvPrinter()
  return format === 'json' ? jsonPrinter() : tablePrinter(styled)
}

/** A query that is told to stop ends within 15 seconds. */
const stopMillis = 20_000

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

const rowsText = (count: number): string => `${count.toLocaleString('en-US')} ${count === 1 ? 'row' : 'rows'}`

const facts = (result: TextResult, rows: number): string => {
  const count = rows === 0 && result.updateCount ? result.updateCount : rows
  return `${rowsText(count)}, ${bytesText(result.scannedBytes)} scanned, ${(result.executionMillis / 1000).toFixed(1)} s, query ${result.queryExecutionId}`
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
    const [{ AthenaClient }, { S3Client }, { createAthena }, { s3ResultStore }] = await Promise.all([
      import('@aws-sdk/client-athena'),
      import('@aws-sdk/client-s3'),
      import('@stockpipe/athena'),
      import('@stockpipe/athena/results'),
    ])
    const client = new AthenaClient(settings)
    const endpoint = io.env['AWS_ENDPOINT_URL_S3'] || io.env['AWS_ENDPOINT_URL']
    const { region, credentials } = settings
    const s3 = new S3Client({
      region,
      ...(credentials && { credentials }),
      ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    })
    io.endWithin?.(stopMillis)
    let count = 0
    let what = 'the query starts'
    const begun = performance.now()
    const seconds = () => `${Math.round((performance.now() - begun) / 1000)} s`
    const progress = new ProgressLine(io, () => `${what}, ${count > 0 ? rowsText(count) : seconds()}`)
    try {
      const athena = createAthena({
        client,
        resultStore: s3ResultStore(s3),
        database: (values['database'] as string | undefined) ?? 'default',
        ...(outputLocation === undefined ? {} : { outputLocation }),
        ...(workGroup === undefined ? {} : { workGroup }),
      })
      const printer = printerOf(format, io.stdout.isTTY === true && !io.env['NO_COLOR'])
      const pages = athena.textPages({
        sql: statement,
        signal: io.signal,
        onStart: (id) => {
          what = `query ${id}`
        },
      })
      let first: TextResult | undefined
      for await (const page of pages) {
        // Rows on the same terminal are progress enough.
        if (io.stdout.isTTY) progress.close()
        first ??= page
        count += page.rows.length
        await print(io, printer.page(page))
      }
      await print(io, printer.end())
      progress.close()
      if (first) io.stderr.write(`${facts(first, count)}\n`)
      return 0
    } finally {
      progress.close()
      client.destroy()
      s3.destroy()
    }
  },
}
