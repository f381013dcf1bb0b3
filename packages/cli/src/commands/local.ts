import { type Command, type CommandArguments, type CommandIO, UsageError } from '../command.ts'
import { kafkaSecurity, kafkaSecurityOptions } from './local-kafka-security.ts'
import {
  exposureWarning,
  javascriptSettings,
  pythonSettings,
  reachable,
  shellSettings,
} from './local-settings.ts'

const help = `Runs Kafka, S3, Glue and Athena in this process, for development, tests and demos.

Usage: stockpipe local [options]

  --data-dir DIR      where everything is kept (default: a temporary directory, removed at the end)
  --reset             empty that directory first; refused where a local stack has not made it
  --fsync             acknowledge nothing before it is on the disk: it survives a power loss, and takes longer
  --kafka-port N      port of Kafka, 0 for any free one (default 9092)
  --kafka-user NAME=PASSWORD
                      who may use Kafka, by SASL/PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; once a user
  --kafka-tls-cert FILE, --kafka-tls-key FILE
                      PEM; Kafka speaks TLS only, and is advertised by the name its client connected to
  --kafka-tls-client-ca FILE
                      PEM; TLS clients show a certificate it signed
  --http-port N       port of S3, Glue and Athena, 0 for any free one (default 9000)
  --host ADDRESS      the address both listen on (default 127.0.0.1)
  --allow-jobs        run Glue jobs although other machines can reach --host: whoever has the keys runs any program
  --athena-engine trino=http://HOST:PORT
                      pass queries of Athena to that Trino, whose catalog awsdatacatalog (or the one of
                      http://HOST:PORT/CATALOG) has this stack's Glue and S3; Hive DDL stays here (default: the
                      embedded engine)
  --access-key KEY    access key id that requests are signed with (default stockpipe)
  --secret-key KEY    the secret access key that goes with it (default stockpipe-secret)
  --log-level LEVEL   info, or debug for a line on stderr about each request (default info)

When ready it prints one line of JSON on stdout and settings to paste on stderr. Ctrl-C or SIGTERM ends it.
`

type Value = CommandArguments['values'][string]

const port = (name: string, text: Value): number | undefined => {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d{1,5}$/.test(String(text)) && value <= 65_535) return value
  throw new UsageError(`--${name} takes a port from 0 to 65535, not '${String(text)}'`)
}

const text = (name: string, value: Value): string | undefined => {
  if (value === '') throw new UsageError(`--${name} takes a value that is not empty`)
  return value as string | undefined
}

const athenaEngine = (value: Value): { trino: string } | undefined => {
  if (value === undefined) return undefined
  const [, trino] = /^trino=(.+)$/.exec(String(value)) ?? []
  // What stands in a URL may be a password.
  if (trino === undefined) throw new UsageError('--athena-engine takes trino=http://host:port')
  return { trino }
}

/** Resolves when the user wants the command to end. */
const untilAborted = ({ signal }: CommandIO): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

export const localCommand: Command = {
  name: 'local',
  summary: 'run Kafka, S3, Glue and Athena in one process, over one directory',
  help,
  options: {
    'data-dir': { type: 'string' },
    reset: { type: 'boolean' },
    fsync: { type: 'boolean' },
    'kafka-port': { type: 'string' },
    'http-port': { type: 'string' },
    host: { type: 'string' },
    'allow-jobs': { type: 'boolean' },
    'athena-engine': { type: 'string' },
    'access-key': { type: 'string' },
    'secret-key': { type: 'string' },
    'log-level': { type: 'string' },
    ...kafkaSecurityOptions,
  },
  async run({ values, positionals }, io) {
    // What stands behind a `=` may be the password of a user.
    const [word] = positionals.map((positional) => positional.replace(/=.*/s, '=…'))
    if (word !== undefined) throw new UsageError(`it takes no argument such as '${word}'`)
    const dataDir = text('data-dir', values['data-dir'])
    if (values['reset'] && dataDir === undefined) {
      throw new UsageError('--reset goes with --data-dir; a temporary directory is empty')
    }
    const level = text('log-level', values['log-level']) ?? 'info'
    if (level !== 'info' && level !== 'debug') {
      throw new UsageError(`--log-level takes info or debug, not '${level}'`)
    }
    const given = {
      dataDir,
      reset: values['reset'],
      fsync: values['fsync'],
      kafkaPort: port('kafka-port', values['kafka-port']),
      httpPort: port('http-port', values['http-port']),
      host: text('host', values['host']),
      allowJobs: values['allow-jobs'],
      athenaEngine: athenaEngine(values['athena-engine']),
      accessKeyId: text('access-key', values['access-key']),
      secretAccessKey: text('secret-key', values['secret-key']),
    }
    const security = await kafkaSecurity(values)
    // Only this command loads the stack, and DuckDB with it.
    const { formatRequest, startLocalStack } = await import('@stockpipe/local')
    const stack = await startLocalStack({
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
      ...security.stack,
      ...(level === 'debug' && {
        onRequest: (request) => {
          io.stderr.write(`${new Date().toISOString()} ${formatRequest(request)}\n`)
        },
      }),
    })
    try {
      if (io.signal.aborted) return 0
      const aws = { ...stack.aws, endpoint: reachable(stack.aws.endpoint) }
      const brokers = stack.kafka.brokers.map(reachable)
      const at = { brokers, kafkaSecurity: security.client, ...aws }
      const kept = dataDir === undefined ? 'removed at the end; --data-dir keeps it' : 'kept'
      const warning =
        given.host === undefined
          ? undefined
          : exposureWarning(given.host, { ...security.client, runsJobs: values['allow-jobs'] === true })
      if (warning !== undefined) io.stderr.write(`${warning}\n`)
      io.stderr.write(
        [
          `Kafka listens on ${brokers.join(', ')}; S3, Glue and Athena on ${aws.endpoint}.`,
          `Everything is in ${stack.dataDir} (${kept}). Ctrl-C ends it. Settings to paste:`,
          ...[shellSettings(at), javascriptSettings(at), pythonSettings(at)].map((block) => `\n${block}`),
          '',
          '',
        ].join('\n'),
      )
      io.stdout.write(`${JSON.stringify({ kafka: { brokers }, aws })}\n`)
      await untilAborted(io)
      return 0
    } finally {
      await stack.close()
    }
  },
}
