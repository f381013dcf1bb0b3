import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { describe, expect, it, onTestFinished } from 'vitest'
import { channels, StockpipeError } from '../src/index.ts'
import { bridgeOpenTelemetry } from '../src/opentelemetry.ts'
import { groupOf, lagOf, publishedAt } from './telemetry-events.ts'

const bridgeUnderTest = () => {
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: 3_600_000,
  })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const spanExporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] })
  const bridge = bridgeOpenTelemetry({ meterProvider, tracerProvider })
  onTestFinished(async () => {
    bridge.close()
    await meterProvider.shutdown()
    await tracerProvider.shutdown()
  })
  /** The metrics as they are now, by name. */
  const measured = async () => {
    metricExporter.reset()
    await reader.forceFlush()
    const scopes = metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
    expect(scopes.every(({ scope }) => scope.name === '@stockpipe/core')).toBe(true)
    return new Map(scopes.flatMap(({ metrics }) => metrics.map((each) => [each.descriptor.name, each])))
  }
  return { bridge, measured, spans: () => spanExporter.getFinishedSpans() }
}

/** A time of OpenTelemetry, seconds and nanoseconds, as milliseconds. */
const millisOf = ([seconds, nanos]: readonly [number, number]): number => seconds * 1000 + nanos / 1e6

describe('the bridge to OpenTelemetry', () => {
  it('feeds counters and histograms, with the messaging conventions’ names for labels', async () => {
    const { measured } = bridgeUnderTest()
    channels.s3Sink.group.publish(() => groupOf())
    channels.s3Sink.group.publish(() => groupOf())
    channels.kafka.block.publish(() => ({
      groupId: 'lake',
      topic: 'ticks',
      partition: 3,
      records: 10,
      bytes: 500,
      millis: 250,
    }))
    const metrics = await measured()
    const groups = metrics.get('stockpipe.sink.groups')
    expect(groups?.dataPoints).toMatchObject([
      { attributes: { 'stockpipe.sink': 'trades', 'stockpipe.reason': 'rows' }, value: 2 },
    ])
    expect(metrics.get('stockpipe.consumer.records')?.dataPoints).toMatchObject([
      {
        attributes: { 'messaging.consumer.group.name': 'lake', 'messaging.destination.name': 'ticks' },
        value: 10,
      },
    ])
    const freshness = metrics.get('stockpipe.sink.freshness')
    expect(freshness?.descriptor.unit).toBe('s')
    expect(freshness?.dataPoints).toMatchObject([{ value: { count: 2, sum: 5, min: 2.5, max: 2.5 } }])
    const size = metrics.get('stockpipe.sink.file.size')
    expect(size?.descriptor.unit).toBe('By')
    expect(size?.dataPoints[0]?.value).toMatchObject({
      buckets: { boundaries: expect.arrayContaining([65_536]) },
    })
  })

  it('observes gauges, and answers NaN for those of partitions that have left', async () => {
    const { measured } = bridgeUnderTest()
    channels.kafka.lag.publish(() => lagOf())
    channels.kafka.lag.publish(() => lagOf({ partition: 4, records: 7 }))
    channels.kafka.lag.publish(() => lagOf({ records: 41 }))
    const lag = async () =>
      (await measured())
        .get('stockpipe.consumer.lag.records')
        ?.dataPoints.map(({ attributes, value }) => [attributes['messaging.destination.partition.id'], value])
    expect(await lag()).toEqual([
      ['3', 41],
      ['4', 7],
    ])
    const left = { topic: 'ticks', partition: 3 }
    channels.kafka.revoked.publish(() => ({ groupId: 'lake', partitions: [left], drained: true }))
    expect(await lag()).toEqual([
      ['3', Number.NaN],
      ['4', 7],
    ])
  })

  it('writes a span for a group, its steps one after another within it', () => {
    const { spans } = bridgeUnderTest()
    channels.s3Sink.group.publish(() => groupOf())
    const group = spans().find(({ name }) => name === 'process ticks')!
    expect(group.kind).toBe(SpanKind.CONSUMER)
    expect(group.attributes).toMatchObject({
      'messaging.system': 'kafka',
      'messaging.destination.name': 'ticks',
      'messaging.destination.partition.id': '3',
      'messaging.batch.message_count': 10,
      'stockpipe.sink': 'trades',
      'stockpipe.group.start': '10',
      'stockpipe.group.next': '20',
      'stockpipe.group.reason': 'rows',
      'stockpipe.group.size': 100_900,
    })
    expect(millisOf(group.startTime)).toBe(publishedAt - 1820)
    expect(millisOf(group.endTime)).toBe(publishedAt)
    const steps = spans().filter(({ name }) => name !== group.name)
    expect(
      steps.map((step) => [step.name, millisOf(step.startTime) - publishedAt, millisOf(step.duration)]),
    ).toEqual([
      ['stage', -1820, 1500],
      ['claim', -320, 20],
      ['publish', -300, 300],
      ['register', 0, 0],
    ])
    for (const step of steps) {
      expect(step.parentSpanContext?.spanId).toBe(group.spanContext().spanId)
      expect(step.spanContext().traceId).toBe(group.spanContext().traceId)
    }
  })

  it('writes spans of settled groups and of batches, and an error for one that failed', () => {
    const { spans } = bridgeUnderTest()
    const log = { sink: 'trades', topic: 'ticks', partition: 3 }
    channels.s3Sink.settled.publish(() => ({
      ...log,
      start: 0n,
      next: 9n,
      writer: 'w',
      files: 2,
      millis: 50,
    }))
    const batch = { topic: 'ticks', partition: 0, records: 100, bytes: 5000, millis: 40 }
    channels.kafka.delivery.publish(() => ({ ...batch, outcome: 'delivered' }))
    channels.kafka.delivery.publish(() => ({ ...batch, outcome: 'failed', code: 'DELIVERY_FAILED' }))
    expect(spans().map(({ name, kind, status }) => [name, kind, status.code])).toEqual([
      ['settle ticks', SpanKind.CONSUMER, SpanStatusCode.UNSET],
      ['send ticks', SpanKind.PRODUCER, SpanStatusCode.UNSET],
      ['send ticks', SpanKind.PRODUCER, SpanStatusCode.ERROR],
    ])
    expect(spans().map(({ duration }) => Math.round(millisOf(duration)))).toEqual([50, 40, 40])
  })

  it('records what ended a partition log as an exception', () => {
    const { spans } = bridgeUnderTest()
    const error = new StockpipeError({ code: 'FENCED', message: 'another owner' })
    channels.s3Sink.fenced.publish(() => ({ sink: 'trades', topic: 'ticks', partition: 3, error }))
    const [span] = spans()
    expect(span).toMatchObject({ name: 'fence ticks', status: { code: SpanStatusCode.ERROR } })
    expect(span?.events[0]).toMatchObject({
      name: 'exception',
      attributes: { 'exception.message': 'another owner' },
    })
  })

  it('says nothing once it is closed', async () => {
    const { bridge, measured, spans } = bridgeUnderTest()
    channels.kafka.lag.publish(() => lagOf())
    bridge.close()
    bridge.close()
    channels.s3Sink.group.publish(() => groupOf())
    expect(spans()).toEqual([])
    expect(await measured()).toEqual(new Map())
    expect(channels.s3Sink.group.hasSubscribers).toBe(false)
  })
})
