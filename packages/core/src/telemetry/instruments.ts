/** What is measured: named and with units as OpenTelemetry does; Prometheus's names follow from these. */
export interface Instrument {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** `s`, `By`, or a word in braces. */
  readonly unit: string
  readonly help: string
  /** Names of its labels, in order. */
  readonly labels: readonly Label[]
  /** Upper bounds of a histogram. */
  readonly buckets: readonly number[]
}

export type Label =
  | 'sink'
  | 'topic'
  | 'partition'
  | 'group'
  | 'reason'
  | 'kind'
  | 'step'
  | 'action'
  | 'code'
  | 'store'
  | 'operation'
  | 'outcome'

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const freshnessSeconds = [1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 21_600, 86_400]
const mebibyte = 1024 * 1024
const fileBytes = [
  65_536,
  262_144,
  mebibyte,
  4 * mebibyte,
  16 * mebibyte,
  32 * mebibyte,
  64 * mebibyte,
  128 * mebibyte,
  256 * mebibyte,
  512 * mebibyte,
  1024 * mebibyte,
]

type Definition = readonly [unit: string, labels: readonly Label[], help: string]

const made =
  (kind: Instrument['kind'], buckets: readonly number[] = []) =>
  (name: string, ...[unit, labels, help]: Definition): Instrument =>
    Object.freeze({ name: `stockpipe.${name}`, kind, unit, labels, help, buckets })

const counter = made('counter')
const gauge = made('gauge')
const log: readonly Label[] = ['sink', 'topic', 'partition']
const member: readonly Label[] = ['group', 'topic', 'partition']

/** Every instrument. Names, units and labels are public. */
export const instruments = Object.freeze({
  groups: counter('sink.groups', '{group}', ['sink', 'reason'], 'Flush groups published, by what cut them.'),
  records: counter('sink.records', '{record}', ['sink'], 'Records of published groups.'),
  rows: counter('sink.rows', '{row}', ['sink'], 'Rows of published groups.'),
  deadLetters: counter('sink.dead_letters', '{record}', ['sink'], 'Records published as dead letters.'),
  fileSize: made('histogram', fileBytes)(
    'sink.file.size',
    'By',
    ['sink', 'kind'],
    'Size of published files.',
  ),
  stepDuration: made('histogram', seconds)(
    'sink.step.duration',
    's',
    ['sink', 'step'],
    'Time a group took to be staged, claimed, published, registered.',
  ),
  freshness: made('histogram', freshnessSeconds)(
    'sink.freshness',
    's',
    ['sink'],
    'From the newest event time of a group to its publication.',
  ),
  newestEventTime: gauge(
    'sink.newest_event_time',
    's',
    log,
    'Newest event time published, seconds since the epoch, of logs owned here.',
  ),
  lastGroupTime: gauge(
    'sink.last_group_time',
    's',
    log,
    'When a group was last published, seconds since the epoch, of logs owned here.',
  ),
  publishedOffset: gauge(
    'sink.published_offset',
    '{offset}',
    log,
    'Everything below this offset is published, of logs owned here.',
  ),
  settled: counter(
    'sink.settled',
    '{group}',
    ['sink'],
    'Groups published for a predecessor that did not see them to their end.',
  ),
  fenced: counter('sink.fenced', '{log}', ['sink'], 'Partition logs lost to an owner that claimed first.'),
  failed: counter('sink.failed', '{log}', ['sink'], 'Partition logs that could not go on.'),
  retries: counter(
    'sink.retries',
    '{retry}',
    ['sink', 'action', 'code'],
    'Calls that failed and were made again, by what was done and the error code.',
  ),
  requests: counter(
    'sink.requests',
    '{request}',
    ['sink', 'store', 'operation', 'outcome'],
    'Requests to the object store.',
  ),
  requestDuration: made('histogram', seconds)(
    'sink.request.duration',
    's',
    ['sink', 'operation'],
    'Time requests to the object store took.',
  ),
  transfer: counter(
    'sink.transfer',
    'By',
    ['sink', 'operation'],
    'Bytes of bodies sent to and received from the object store.',
  ),
  memoryUsed: gauge('sink.memory.used', 'By', ['sink'], 'Memory charged to the budget.'),
  memoryLimit: gauge('sink.memory.limit', 'By', ['sink'], 'Memory the budget allows.'),
  memoryFull: gauge('sink.memory.full', '', ['sink'], '1 while writes wait for memory, else 0.'),
  bufferedRows: gauge('sink.buffered.rows', '{row}', log, 'Rows of the open group.'),
  bufferedMemory: gauge('sink.buffered.memory', 'By', log, 'Memory the open group takes, estimated.'),
  consumed: counter('consumer.records', '{record}', ['group', 'topic'], 'Records handed to sinks.'),
  read: counter('consumer.read', 'By', ['group', 'topic'], 'Keys and values handed to sinks.'),
  sinkWait: counter('consumer.sink_wait', 's', ['group', 'topic'], 'Time sinks took to take records.'),
  lagRecords: gauge('consumer.lag.records', '{record}', member, 'Records still to be handed over.'),
  lag: gauge('consumer.lag', 's', member, 'Age of the last record handed over while there are more.'),
  partitions: gauge(
    'consumer.partitions',
    '{partition}',
    ['group'],
    'Partitions the group gave this member when it last joined, until it leaves.',
  ),
  joins: counter(
    'consumer.joins',
    '{join}',
    ['group'],
    'Times this member joined its group: the start and rebalances.',
  ),
  produced: counter(
    'producer.records',
    '{record}',
    ['topic', 'outcome'],
    'Records acknowledged by Kafka, or not.',
  ),
  sent: counter('producer.sent', 'By', ['topic'], 'Batches acknowledged by Kafka, before compression.'),
  batchDuration: made('histogram', seconds)(
    'producer.batch.duration',
    's',
    ['topic', 'outcome'],
    'From the first record of a batch until it was acknowledged, or given up.',
  ),
})
