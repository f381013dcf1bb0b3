import type { JournalAccessOptions } from '@stockpipe/s3-sink'
import { awsSettings } from '../aws-settings.ts'
import { type Command, type CommandArguments, type CommandIO, UsageError } from '../command.ts'
import { journalText, jsonText } from '../format/journal.ts'
import { kafkaSettings, kafkaVariables } from '../kafka-settings.ts'

const help = `Shows and keeps the journal of a sink: where its partition logs begin, stand, and what is left of their past.

Usage: stockpipe journal show  s3://BUCKET/JOURNAL/SINK [--topic TOPIC] [--partition N] [--entries N]
       stockpipe journal init  s3://BUCKET/JOURNAL/SINK --topic TOPIC --start earliest|latest|OFFSET [--partitions N]
       stockpipe journal prune s3://BUCKET/JOURNAL/SINK [--keep-days N]
       stockpipe journal clean s3://BUCKET/JOURNAL/SINK [--dry-run]
       stockpipe journal reset s3://BUCKET/JOURNAL/SINK --topic TOPIC --partition N --to OFFSET [--accept-lost-files]

  --json               the outcome as JSON on stdout
  --topic TOPIC        show: only its partition logs; init, reset: whose partition logs
  --partition N        show: only this one; reset: which one
  --entries N          show: the newest N entries of each partition log (default 1)
  --start WHERE        init: an offset, or where Kafka's log begins or ends now
  --partitions N       init with an offset: partitions 0 to N - 1
  --brokers HOST:PORT,…  init with earliest or latest: in place of KAFKA_BROKERS
  --keep-days N        prune: entries younger than that are kept (default 30, at least 2)
  --dry-run            clean: says what it would abort
  --to OFFSET          reset: where the sink goes on; everything between is given up
  --accept-lost-files  reset: gives up files of the newest group that are lost for good, too

init writes a genesis and leaves those that are there. prune deletes old entries behind a checkpoint, never the newest two
and never a genesis. clean aborts uploads that lost their claim. A sink does both by itself; all of it is safe while sinks
run. reset goes forward only: it accepts a loss, which 'stockpipe verify' shows from then on; running sinks are fenced.

Where: AWS_ENDPOINT_URL (a local stack), AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE;
init with earliest or latest: ${kafkaVariables}.
`

const dayMillis = 24 * 60 * 60_000
const number = new Intl.NumberFormat('en-US')

interface Action {
  readonly access: JournalAccessOptions
  readonly values: CommandArguments['values']
  readonly io: CommandIO
  readonly sink: typeof import('@stockpipe/s3-sink')
}

/** What an action answers: for people and for programs. */
interface Outcome {
  readonly text: string
  readonly json: unknown
}

const show = async ({ access, values, sink }: Action): Promise<Outcome> => {
  const { topic } = values
  const partition = optionalCount(values, 'partition')
  const entries = values['entries'] === undefined ? undefined : positive(String(values['entries']), 'entries')
  const logs = await sink.describeJournal({
    ...access,
    ...(typeof topic === 'string' ? { topic } : {}),
    ...(partition === undefined ? {} : { partition }),
    ...(entries === undefined ? {} : { entries }),
  })
  return { text: journalText(logs), json: logs }
}

const init = async ({ access, values, io, sink }: Action): Promise<Outcome> => {
  const topic = given(values, 'topic', 'init')
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic))
    throw new UsageError(`--topic takes the name of a topic, not '${topic}'`)
  const start = given(values, 'start', 'init')
  const starts =
    start === 'earliest' || start === 'latest'
      ? await kafkaStarts(topic, start, values, io)
      : Array.from(
          { length: positive(given(values, 'partitions', 'init with an offset'), 'partitions') },
          (_, partition) => ({
            topic,
            partition,
            start: offset(start, 'start'),
          }),
        )
  const policy = start === 'earliest' || start === 'latest' ? start : 'offset'
  const logs = await sink.initJournal({ ...access, starts, policy })
  const text = logs.map(
    (log) =>
      `${log.topic}-${log.partition}: begins at offset ${log.start}${log.created ? '' : ', as before'}\n`,
  )
  return { text: text.join(''), json: logs }
}

const kafkaStarts = async (
  topic: string,
  start: 'earliest' | 'latest',
  values: CommandArguments['values'],
  io: CommandIO,
) => {
  const { brokers } = values
  const settings = kafkaSettings(typeof brokers === 'string' ? brokers : undefined, io.env)
  const { Kafka, logLevel } = await import('kafkajs')
  const admin = new Kafka({ ...settings, logLevel: logLevel.NOTHING }).admin()
  try {
    await admin.connect()
    // Asked for a topic that is not there, kafkajs tries for ten seconds.
    if (!(await admin.listTopics()).includes(topic)) throw new Error('Kafka lists no such topic')
    const offsets = await admin.fetchTopicOffsets(topic)
    return offsets
      .map(({ partition, low, high }) => ({
        topic,
        partition,
        start: BigInt(start === 'earliest' ? low : high),
      }))
      .sort((left, right) => left.partition - right.partition)
  } catch (error) {
    throw new UsageError(
      `Kafka did not say where topic ${topic} begins and ends: ${(error as Error).message}; give an offset, or check topic and brokers`,
      { cause: error },
    )
  } finally {
    await admin.disconnect()
  }
}

const prune = async ({ access, values, sink }: Action): Promise<Outcome> => {
  const keepDays = optionalCount(values, 'keep-days')
  const logs = await sink.pruneJournal({
    ...access,
    ...(keepDays === undefined ? {} : { retainEntriesMillis: keepDays * dayMillis }),
  })
  const text = logs.map(({ topic, partition, entries, next }) => {
    const checkpoint = next === null ? '' : `, the rest begins at offset ${next}`
    return `${topic}-${partition}: ${number.format(entries)} entries pruned${checkpoint}\n`
  })
  return { text: text.join(''), json: logs }
}

const clean = async ({ access, values, sink }: Action): Promise<Outcome> => {
  const dryRun = values['dry-run'] === true
  const cleaned = await sink.cleanUploads({ ...access, dryRun })
  const lines = cleaned.aborted.map(({ key }) => `${dryRun ? 'would abort' : 'aborted'} ${key}\n`)
  return {
    text: `${lines.join('')}${number.format(lines.length)} uploads ${dryRun ? 'to abort' : 'aborted'}, ${number.format(cleaned.left)} left alone\n`,
    json: cleaned,
  }
}

const reset = async ({ access, values, sink }: Action): Promise<Outcome> => {
  const log = {
    topic: given(values, 'topic', 'reset'),
    partition: count(given(values, 'partition', 'reset'), 'partition'),
  }
  const report = await sink.resetPartitionLog({
    ...access,
    log,
    to: offset(given(values, 'to', 'reset'), 'to'),
    acceptLostFiles: values['accept-lost-files'] === true,
  })
  const { from, to, lostFiles, unregistered } = report
  const lines = [
    from === to
      ? `${log.topic}-${log.partition}: stands at offset ${to}\n`
      : `${log.topic}-${log.partition}: offsets ${from} to ${to - 1n} are given up; the sink goes on at ${to}\n`,
    ...lostFiles.map((key) => `lost: ${key}\n`),
    ...unregistered.map(({ location }) => `not registered by this: ${location}\n`),
  ]
  return { text: lines.join(''), json: report }
}

const actions = { show, init, prune, clean, reset }

const given = (values: CommandArguments['values'], name: string, action: string): string => {
  const value = values[name]
  if (typeof value === 'string' && value !== '') return value
  throw new UsageError(`${action} takes --${name}`)
}

const count = (text: string, name: string): number => {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new UsageError(`--${name} takes a whole number, not '${text}'`)
}

const positive = (text: string, name: string): number => {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UsageError(`--${name} takes a whole number above 0, not '${text}'`)
}

const optionalCount = (values: CommandArguments['values'], name: string): number | undefined => {
  const value = values[name]
  return value === undefined ? undefined : count(String(value), name)
}

const offset = (text: string, name: string): bigint => {
  if (/^\d{1,19}$/.test(text) && BigInt(text) < 2n ** 63n) return BigInt(text)
  throw new UsageError(`--${name} takes an offset, not '${text}'`)
}

export const journalCommand: Command = {
  name: 'journal',
  summary: "show, begin, prune, clean or reset a sink's journal",
  help,
  options: {
    json: { type: 'boolean' },
    topic: { type: 'string' },
    partition: { type: 'string' },
    entries: { type: 'string' },
    start: { type: 'string' },
    partitions: { type: 'string' },
    brokers: { type: 'string' },
    'keep-days': { type: 'string' },
    'dry-run': { type: 'boolean' },
    to: { type: 'string' },
    'accept-lost-files': { type: 'boolean' },
  },
  async run({ values, positionals }, io) {
    const [name, journal, ...others] = positionals
    if (name === undefined || !Object.hasOwn(actions, name)) {
      const not = name === undefined ? '' : `, not '${name}'`
      throw new UsageError(`it takes show, init, prune, clean or reset${not}`)
    }
    if (journal === undefined || others.length > 0 || !/^s3:\/\/[^/]+\/.+\/[^/]+\/?$/.test(journal)) {
      throw new UsageError(
        `${name} takes one journal, s3://BUCKET/JOURNAL/SINK, such as s3://lake/_stockpipe/journal/trades`,
      )
    }
    const settings = awsSettings('S3', io.env)
    const [{ S3Client }, sink] = await Promise.all([
      import('@aws-sdk/client-s3'),
      import('@stockpipe/s3-sink'),
    ])
    const client = new S3Client({ ...settings, forcePathStyle: settings.endpoint !== undefined })
    try {
      const access = { client, journal, signal: io.signal }
      const { text, json } = await actions[name as keyof typeof actions]({ access, values, io, sink })
      io.stdout.write(values['json'] === true ? jsonText(json) : text)
      return 0
    } finally {
      client.destroy()
    }
  },
}
