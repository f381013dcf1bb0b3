import { StockpipeError } from '@stockpipe/core'
import { type Command, type CommandArguments, UsageError } from '../command.ts'
import { loadSinkConfig } from '../load-sink-config.ts'
import { type LogFormat, ServiceLog } from '../service/service-log.ts'

const help = `Runs one sink as a service: a topic, read as a member of a consumer group, into Parquet files on S3.

Usage: stockpipe sink --config FILE [options]

  --config FILE         a module that exports defineSinkConfig({ kafka, groupId, sink }) of 'stockpipe'
  --until WHEN          end when everything up to then is published: 'latest' (what the topic holds at the start),
                        or a time such as 2026-01-31T21:00:00Z (default: go on)
  --drain-seconds N     how long SIGTERM or Ctrl-C waits until what was read is published (default 20)
  --metrics-port N      serve Prometheus's /metrics, and /healthz and /readyz, on this port; 0 for any free one
  --metrics-host HOST   the address it listens on (default 127.0.0.1)
  --log-format FORMAT   text or json, a line each on stderr (default text)

Exit status: 0 it drained or reached --until; 1 it failed, and a restart goes on where it stopped; 2 the command line or
the configuration is wrong, and a restart is of no use; 130 a second SIGTERM or Ctrl-C ended it at once. Whatever the end,
no record is lost or doubled: the next run goes on from the journal.
`

const port = (text: string): number => {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new UsageError(`--metrics-port takes a port from 0 to 65535, not '${text}'`)
}

const drainMillis = (text: string): number => {
  if (/^\d+(?:\.\d+)?$/.test(text) && Number(text) <= 3600) return Number(text) * 1000
  throw new UsageError(`--drain-seconds takes 0 to 3600, not '${text}'`)
}

/** A day alone is its beginning in UTC; a time needs its zone. */
const instant = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/

const until = (text: string): 'latest' | Date => {
  if (text === 'latest') return text
  const time = new Date(text)
  if (instant.test(text) && !Number.isNaN(time.getTime())) return time
  throw new UsageError(
    `--until takes 'latest' or a time with its zone, such as 2026-01-31T21:00:00Z, not '${text}'`,
  )
}

const logFormat = (text: string): LogFormat => {
  if (text === 'text' || text === 'json') return text
  throw new UsageError(`--log-format takes text or json, not '${text}'`)
}

const given = ({ values }: CommandArguments, name: string): string | undefined => {
  if (values[name] === '') throw new UsageError(`--${name} takes a value that is not empty`)
  return values[name] as string | undefined
}

export const sinkCommand: Command = {
  name: 'sink',
  summary: 'run one sink as a service: a topic into Parquet files on S3',
  help,
  options: {
    config: { type: 'string' },
    until: { type: 'string' },
    'drain-seconds': { type: 'string' },
    'metrics-port': { type: 'string' },
    'metrics-host': { type: 'string' },
    'log-format': { type: 'string' },
  },
  async run(input, io) {
    if (input.positionals.length > 0) {
      throw new UsageError(`it takes no argument such as '${input.positionals[0]}'`)
    }
    const file = given(input, 'config')
    if (file === undefined) throw new UsageError('it takes --config FILE')
    const text = (name: string) => given(input, name)
    const [when, metricsPort, host] = [text('until'), text('metrics-port'), text('metrics-host')]
    if (host !== undefined && metricsPort === undefined) {
      throw new UsageError('--metrics-host goes with --metrics-port')
    }
    const log = new ServiceLog(io.stderr, logFormat(text('log-format') ?? 'text'))
    const options = {
      log,
      signal: io.signal,
      until: when === undefined ? undefined : until(when),
      drainMillis: drainMillis(text('drain-seconds') ?? '20'),
      metrics: metricsPort === undefined ? undefined : { host: host ?? '127.0.0.1', port: port(metricsPort) },
    }
    const config = await loadSinkConfig(file)
    // Draining, then leaving the group, each bounded by as much.
    io.endWithin?.(2 * options.drainMillis + 10_000)
    const { runSinkService } = await import('../service/sink-service.ts')
    try {
      await runSinkService(config, options)
      return 0
    } catch (error) {
      if (!StockpipeError.isInstance(error)) {
        const told = error instanceof Error ? (error.stack ?? error.message) : String(error)
        log.error('An unexpected failure; please report it.', { error: told })
        return 1
      }
      log.error(error.message, { code: error.code, ...error.facts })
      return error.name === 'ConfigurationError' ? 2 : 1
    }
  },
}
