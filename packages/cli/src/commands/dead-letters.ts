import type { DeadLetter, TopicPartition } from '@stockpipe/core'
import type { DeadLetterFile, DeadLetters } from '@stockpipe/s3-sink'
import type { Kafka } from 'kafkajs'
import { type Command, type CommandArguments, type CommandIO, UsageError } from '../command.ts'
import { deadLetterJson, formatDeadLetter } from '../format/dead-letter.ts'
import { visible } from '../format/table.ts'
import { kafkaSettings, kafkaVariables } from '../kafka-settings.ts'
import { isClient } from '../service/kafka-client.ts'
import type { SinkConfig } from '../sink-config.ts'
import { journalVariables, sinkJournal } from '../sink-journal.ts'

const help = `Lists, shows and replays the records of a sink that could not become rows.

Usage: stockpipe dead-letters list   s3://BUCKET/JOURNAL/SINK [options]
       stockpipe dead-letters show   s3://BUCKET/JOURNAL/SINK [options]
       stockpipe dead-letters replay s3://BUCKET/JOURNAL/SINK --to TOPIC [options]
       stockpipe dead-letters list|show|replay --config FILE [options]

  --config FILE           the sink of this file, as for 'stockpipe sink', with the file's own clients
  --log TOPIC-PARTITION   only those of one partition log, such as trades-0
  --json                  list: one array; show: one object a line, bytes as {"text"} or {"base64"}
  --limit COUNT           show: records at most (default 20; with --json all)
  --to TOPIC              replay: where key, value and headers are sent again; the topic has to be there
  --brokers HOST:PORT,…   replay: in place of KAFKA_BROKERS, or of the file's Kafka
  --again                 replay: files that were replayed to that topic before, too

replay sends at least once. The journal notes each file whose records are all acknowledged, and it is not sent to that topic
again without --again; a replay that is interrupted sends the records of the file it was at again when it is run again. Each
record carries the header stockpipe-dead-letter: TOPIC/PARTITION/OFFSET, always the same, so that consumers can drop repeats.
A record still wrong comes back as a dead letter of whoever reads the topic.

Exit status 1 when a file is not there, 0 otherwise.
Where, without --config: ${journalVariables};
replay: ${kafkaVariables}.
`

const reasonsShown = 5
const defaultLimit = 20
const number = new Intl.NumberFormat('en-US')

/** A file with the reasons of its records, the most frequent first; undefined when it is not there. */
interface FileReasons {
  readonly file: DeadLetterFile
  readonly reasons: readonly ReasonCount[] | undefined
}

interface ReasonCount {
  readonly reason: string
  readonly column: string | null
  count: number
  readonly firstOffset: bigint
}

const reasonsOf = (records: readonly DeadLetter[]): readonly ReasonCount[] => {
  const counts = new Map<string, ReasonCount>()
  for (const { reason, column, offset } of records) {
    const known = counts.get(reason)
    if (known) known.count += 1
    else counts.set(reason, { reason, column, count: 1, firstOffset: offset })
  }
  return [...counts.values()].sort((left, right) => right.count - left.count)
}

const fileText = ({ file, reasons }: FileReasons): string => {
  const where = `${file.topic}-${file.partition}: ${number.format(file.records)} in group [${file.start}, ${file.next}), offsets ${file.firstOffset} to ${file.lastOffset}, s3://${file.bucket}/${file.key}\n`
  if (!reasons) return `${where}  the file is not there: not published yet, or deleted since\n`
  const lines = reasons
    .slice(0, reasonsShown)
    .map(
      ({ reason, count, firstOffset }) =>
        `  ${number.format(count)}: ${visible(reason)} (first at offset ${firstOffset})\n`,
    )
  const more = reasons.length - lines.length
  return `${where}${lines.join('')}${more > 0 ? `  and ${number.format(more)} more reasons\n` : ''}`
}

const fileJson = ({ file, reasons }: FileReasons) => ({
  ...file,
  reasons: reasons ?? null,
})

const jsonText = (value: unknown): string =>
  `${JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? member.toString() : member), 2)}\n`

interface Action {
  readonly deadLetters: DeadLetters
  readonly log: TopicPartition | undefined
  readonly values: CommandArguments['values']
  readonly io: CommandIO
  readonly config: SinkConfig | undefined
}

const list = async ({ deadLetters, log, values, io }: Action): Promise<number> => {
  const listed: FileReasons[] = []
  let records = 0
  let missing = 0
  for await (const file of deadLetters.files(log)) {
    const read = await deadLetters.read(file)
    const reasons = read && reasonsOf(read)
    records += file.records
    if (!reasons) missing += 1
    if (values['json'] === true) listed.push({ file, reasons })
    else io.stdout.write(fileText({ file, reasons }))
  }
  io.stdout.write(
    values['json'] === true ? jsonText(listed.map(fileJson)) : `${number.format(records)} dead letters\n`,
  )
  return missing === 0 ? 0 : 1
}

const show = async ({ deadLetters, log, values, io }: Action): Promise<number> => {
  const limit = limitOf(values)
  let shown = 0
  let missing = 0
  for await (const file of deadLetters.files(log)) {
    if (shown === limit) {
      io.stderr.write(`There are more; --limit ${limit * 10} shows more of them, --json all.\n`)
      return missing === 0 ? 0 : 1
    }
    const records = await deadLetters.read(file)
    if (!records) {
      missing += 1
      io.stderr.write(`s3://${file.bucket}/${file.key} is not there: not published yet, or deleted since.\n`)
      continue
    }
    for (const record of records.slice(0, limit - shown)) {
      io.stdout.write(values['json'] === true ? deadLetterJson(record) : formatDeadLetter(record))
      shown += 1
    }
  }
  return missing === 0 ? 0 : 1
}

const replay = async ({ deadLetters, log, values, io, config }: Action): Promise<number> => {
  const topic = values['to']
  if (typeof topic !== 'string' || !/^[a-zA-Z0-9._-]{1,249}$/.test(topic)) {
    throw new UsageError('replay takes the topic to send to: --to TOPIC')
  }
  const { createDeadLetterTopic } = await import('@stockpipe/kafka')
  const publisher = createDeadLetterTopic({ kafka: await kafkaOf(values['brokers'], config, io), topic })
  const told = {
    sent: 'sent',
    before: 'sent before, left out',
    missing: 'not there: not published yet, or deleted since',
  }
  let missing = 0
  try {
    const sent = await deadLetters.replay({
      topic,
      publisher,
      ...(log ? { log } : {}),
      again: values['again'] === true,
      onFile: (file, outcome) => {
        if (outcome === 'missing') missing += 1
        io.stdout.write(
          `${file.topic}-${file.partition} [${file.start}, ${file.next}): ${number.format(file.records)} records ${told[outcome]}\n`,
        )
      },
    })
    io.stdout.write(`${number.format(sent)} dead letters sent to ${topic}\n`)
  } finally {
    await publisher.close()
  }
  return missing === 0 ? 0 : 1
}

/** The brokers named, or else the file's Kafka, or else that of the usual variables. */
const kafkaOf = async (
  brokers: CommandArguments['values'][string],
  config: SinkConfig | undefined,
  io: CommandIO,
): Promise<Kafka> => {
  const settings =
    config === undefined || brokers !== undefined
      ? kafkaSettings(brokers as string | undefined, io.env)
      : config.kafka
  if (isClient(settings)) return settings
  const { Kafka, logLevel } = await import('kafkajs')
  return new Kafka({ logLevel: logLevel.NOTHING, ...settings })
}

const actions = { list, show, replay }

const actionOf = (name: string | undefined): ((action: Action) => Promise<number>) => {
  if (name !== undefined && Object.hasOwn(actions, name)) return actions[name as keyof typeof actions]
  throw new UsageError(`it takes list, show or replay${name === undefined ? '' : `, not '${name}'`}`)
}

const limitOf = (values: CommandArguments['values']): number => {
  const given = values['limit']
  if (given === undefined) return values['json'] === true ? Number.POSITIVE_INFINITY : defaultLimit
  if (typeof given === 'string' && /^[1-9]\d{0,8}$/.test(given)) return Number(given)
  throw new UsageError(`--limit takes a whole number from 1 on, not '${String(given)}'`)
}

const logOf = (given: CommandArguments['values'][string]): TopicPartition | undefined => {
  if (given === undefined) return undefined
  const match = /^([a-zA-Z0-9._-]+)-(\d{1,10})$/.exec(String(given))
  if (!match)
    throw new UsageError(`--log takes a topic and a partition, such as trades-0, not '${String(given)}'`)
  return { topic: match[1]!, partition: Number(match[2]) }
}

export const deadLettersCommand: Command = {
  name: 'dead-letters',
  summary: 'list, show or replay the records of a sink that could not become rows',
  help,
  options: {
    log: { type: 'string' },
    json: { type: 'boolean' },
    limit: { type: 'string' },
    to: { type: 'string' },
    brokers: { type: 'string' },
    again: { type: 'boolean' },
    config: { type: 'string' },
  },
  async run({ values, positionals }, io) {
    const [name, ...journal] = positionals
    const action = actionOf(name)
    const log = logOf(values['log'])
    const { access, config, close } = await sinkJournal(journal, values['config'], io)
    try {
      const { openDeadLetters } = await import('@stockpipe/s3-sink')
      const deadLetters = openDeadLetters({ ...access, signal: io.signal })
      return await action({ deadLetters, log, values, io, config })
    } finally {
      await close()
    }
  },
}
