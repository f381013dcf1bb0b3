import type { BrokerServices } from '../broker-services.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { Handlers } from '../network/dispatcher.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-table.ts'
import { ErrorCode } from '../protocol/error-code.ts'

/** `fetch.max.bytes` of Apache Kafka's broker. */
const maxResponseBytes = 57_671_680
const noRecords = Buffer.alloc(0)

type FetchRequest = RequestOf<'fetch'>
type FetchedTopic = ResponseOf<'fetch'>['topics'][number]
type FetchedPartition = FetchedTopic['partitions'][number]
type AskedPartition = FetchRequest['topics'][number]['partitions'][number]

interface FetchAttempt {
  readonly topics: FetchedTopic[]
  /** Bytes that are still missing to what the client wants to wait for. */
  readonly missingBytes: number
}

/** Fetch. */
export const fetchHandlers = (broker: BrokerServices): Pick<Handlers, 'fetch'> => ({
  async fetch(request, { signal }) {
    if (request.sessionId !== 0) {
      return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, topics: [] }
    }
    const deadlineMillis = performance.now() + request.maxWaitMillis
    let attempt = readAll(broker, request)
    while (attempt.missingBytes > 0 && performance.now() < deadlineMillis) {
      await newBytes(
        logsOf(broker, request),
        attempt.missingBytes,
        deadlineMillis - performance.now(),
        signal,
      )
      // The broker may be closing: its logs are not to be opened again.
      if (signal.aborted) return null
      attempt = readAll(broker, request)
    }
    return { errorCode: ErrorCode.NONE, topics: attempt.topics }
  },
})

const readAll = (broker: BrokerServices, request: FetchRequest): FetchAttempt => {
  let budgetBytes = Math.min(request.maxBytes, maxResponseBytes)
  let foundBytes = 0
  let mayAnswerAtOnce = false
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((asked): FetchedPartition => {
      const log = broker.topics.partition(name, asked.partition)
      const errorCode = errorOf(log, asked)
      if (log === undefined || errorCode !== ErrorCode.NONE) {
        mayAnswerAtOnce = true
        return refusedPartition(asked.partition, errorCode, log)
      }
      const readsCommitted = request.isolationLevel === 1
      const endOffset = readsCommitted ? log.lastStableOffset : log.logEndOffset
      const maxBytes = Math.min(asked.maxBytes, budgetBytes)
      const { records, nextOffset } = log.read(asked.fetchOffset, endOffset, maxBytes, foundBytes === 0)
      foundBytes += records.length
      budgetBytes -= records.length
      // What is left of the log does not fit: waiting would bring nothing more.
      mayAnswerAtOnce ||= nextOffset < endOffset
      const aborted = readsCommitted ? log.abortedBetween(asked.fetchOffset, nextOffset) : null
      return {
        ...offsetsOf(log),
        partition: asked.partition,
        errorCode,
        abortedTransactions: aborted,
        records,
      }
    }),
  }))
  return { topics, missingBytes: mayAnswerAtOnce ? 0 : request.minBytes - foundBytes }
}

const errorOf = (log: PartitionLog | undefined, asked: AskedPartition): number => {
  if (log === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const refusal = log.leaderEpochs.refusalOf(asked.currentLeaderEpoch)
  if (refusal !== ErrorCode.NONE) return refusal
  const isInside = asked.fetchOffset >= log.logStartOffset && asked.fetchOffset <= log.logEndOffset
  return isInside ? ErrorCode.NONE : ErrorCode.OFFSET_OUT_OF_RANGE
}

const offsetsOf = (log: PartitionLog) => ({
  highWatermark: log.logEndOffset,
  lastStableOffset: log.lastStableOffset,
  logStartOffset: log.logStartOffset,
})

const refusedPartition = (
  partition: number,
  errorCode: number,
  log: PartitionLog | undefined,
): FetchedPartition => ({
  partition,
  errorCode,
  ...(log === undefined ? { highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 } : offsetsOf(log)),
  abortedTransactions: null,
  records: noRecords,
})

const logsOf = (broker: BrokerServices, request: FetchRequest): PartitionLog[] =>
  request.topics
    .flatMap(({ name, partitions }) =>
      partitions.map(({ partition }) => broker.topics.partition(name, partition)),
    )
    .filter((log) => log !== undefined)

/** Waits until about `byteCount` bytes were appended to the logs, the time is over, or the client is gone. */
const newBytes = (
  logs: readonly PartitionLog[],
  byteCount: number,
  timeoutMillis: number,
  signal: AbortSignal,
): Promise<void> =>
  new Promise((resolve) => {
    let missingBytes = byteCount
    const finish = () => {
      for (const stopListening of stops) stopListening()
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const stops = logs.map((log) =>
      log.onAppend((appendedBytes) => {
        missingBytes -= appendedBytes
        // Not at once: a producer's request often writes to several partitions.
        if (missingBytes <= 0) setImmediate(finish)
      }),
    )
    const timer = setTimeout(finish, timeoutMillis)
    signal.addEventListener('abort', finish)
  })
