import { context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { channels, type GroupPublished } from '../telemetry.ts'

const steps = ['stage', 'claim', 'publish', 'register'] as const

/** Writes spans, when their work is done, of what the channels say; until the answer is called. */
export const recordSpans = (tracer: Tracer, now: () => number): (() => void) => {
  const ends = [
    channels.s3Sink.group.subscribe((group) => groupSpan(tracer, group)),
    channels.s3Sink.settled.subscribe((settled) => {
      const ended = now()
      tracer
        .startSpan(`settle ${settled.topic}`, {
          kind: SpanKind.CONSUMER,
          startTime: ended - settled.millis,
          attributes: {
            ...partitionAttributes(settled),
            'stockpipe.sink': settled.sink,
            'stockpipe.group.start': settled.start.toString(),
            'stockpipe.group.next': settled.next.toString(),
            'stockpipe.group.writer': settled.writer,
            'stockpipe.group.files': settled.files,
          },
        })
        .end(ended)
    }),
    channels.kafka.delivery.subscribe(({ topic, partition, records, bytes, millis, outcome, code }) => {
      const ended = now()
      const span = tracer.startSpan(`send ${topic}`, {
        kind: SpanKind.PRODUCER,
        startTime: ended - millis,
        attributes: {
          'messaging.system': 'kafka',
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          'messaging.destination.name': topic,
          'messaging.destination.partition.id': String(partition),
          'messaging.batch.message_count': records,
          'stockpipe.batch.size': bytes,
        },
      })
      if (outcome === 'failed') failed(span, code ?? 'failed')
      span.end(ended)
    }),
    channels.s3Sink.failed.subscribe(({ error, ...log }) => endedSpan(tracer, 'fail', log, error, now())),
    channels.s3Sink.fenced.subscribe(({ error, ...log }) => endedSpan(tracer, 'fence', log, error, now())),
  ]
  return () => {
    for (const end of ends.splice(0)) end()
  }
}

interface LogName {
  readonly sink: string
  readonly topic: string
  readonly partition: number
}

const partitionAttributes = ({ topic, partition }: Omit<LogName, 'sink'>) => ({
  'messaging.system': 'kafka',
  'messaging.operation.name': 'process',
  'messaging.operation.type': 'process',
  'messaging.destination.name': topic,
  'messaging.destination.partition.id': String(partition),
})

/** A group and, within it, its steps one after another. */
const groupSpan = (tracer: Tracer, group: GroupPublished): void => {
  const taken = steps.reduce((sum, step) => sum + group.millis[step], 0)
  let at = group.publishedAt - taken
  const span = tracer.startSpan(`process ${group.topic}`, {
    kind: SpanKind.CONSUMER,
    startTime: at,
    attributes: {
      ...partitionAttributes(group),
      'messaging.batch.message_count': group.records,
      'messaging.kafka.offset': Number(group.start),
      'stockpipe.sink': group.sink,
      'stockpipe.group.start': group.start.toString(),
      'stockpipe.group.next': group.next.toString(),
      'stockpipe.group.reason': group.cutBy,
      'stockpipe.group.rows': group.rows,
      'stockpipe.group.dead_letters': group.deadLetters,
      'stockpipe.group.files': group.files.length,
      'stockpipe.group.size': group.files.reduce((sum, { bytes }) => sum + bytes, 0),
    },
  })
  const within = trace.setSpan(context.active(), span)
  for (const step of steps) {
    const child = tracer.startSpan(step, { kind: SpanKind.INTERNAL, startTime: at }, within)
    at += group.millis[step]
    child.end(at)
  }
  span.end(group.publishedAt)
}

const endedSpan = (tracer: Tracer, name: string, log: LogName, error: Error, at: number): void => {
  const span = tracer.startSpan(`${name} ${log.topic}`, {
    kind: SpanKind.INTERNAL,
    startTime: at,
    attributes: { ...partitionAttributes(log), 'stockpipe.sink': log.sink },
  })
  span.recordException(error, at)
  failed(span, error.message)
  span.end(at)
}

const failed = (span: Span, message: string): void =>
  void span.setStatus({ code: SpanStatusCode.ERROR, message })
