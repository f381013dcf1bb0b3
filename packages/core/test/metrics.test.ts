import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { channels, StockpipeError } from '../src/index.ts'
import { createMetrics, type MetricsOptions } from '../src/metrics.ts'
import { parsePrometheus } from './prometheus-parser.ts'
import { groupOf, lagOf, publishedAt } from './telemetry-events.ts'

const metricsUnderTest = (options?: MetricsOptions) => {
  const metrics = createMetrics(options)
  onTestFinished(() => metrics.close())
  const value = (name: string, labels: Readonly<Record<string, string>> = {}): number | undefined => {
    const families = parsePrometheus(metrics.text())
    const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ''))
    if (!family) throw new Error(`no family ${name}`)
    return family.samples.find(
      (sample) =>
        sample.name === name &&
        JSON.stringify(Object.entries(sample.labels).sort()) ===
          JSON.stringify(Object.entries(labels).sort()),
    )?.value
  }
  return { metrics, value }
}

const sink = { sink: 'trades' }
const log = { sink: 'trades', topic: 'ticks', partition: '3' }
const member = { group: 'lake', topic: 'ticks', partition: '3' }

describe('metrics for Prometheus', () => {
  it('describes every metric before anything has happened, in base units', () => {
    const { metrics } = metricsUnderTest()
    const families = parsePrometheus(metrics.text())
    expect(families.size).toBeGreaterThan(25)
    for (const { name, help, samples } of families.values()) {
      expect(name).toMatch(/^stockpipe_(?:sink|consumer|producer)_[a-z_]+$/)
      expect(name).not.toMatch(/milli/)
      expect(help.length).toBeGreaterThan(10)
      expect(samples).toEqual([])
    }
  })

  it('is written down in the guide, metric by metric', () => {
    const guide = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
    const rows = [...guide.matchAll(/^\| `(stockpipe_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => [
      name,
      type,
    ])
    const { metrics } = metricsUnderTest()
    const families = [...parsePrometheus(metrics.text()).values()]
    expect(rows).toEqual(families.map(({ name, type }) => [name, type]))
  })

  it('counts groups by reason, records, rows, dead letters, and the steps and files', () => {
    const { value } = metricsUnderTest()
    channels.s3Sink.group.publish(() => groupOf())
    channels.s3Sink.group.publish(() => groupOf({ cutBy: 'age', records: 5 }))
    channels.s3Sink.group.publish(() => groupOf())
    expect(value('stockpipe_sink_groups_total', { ...sink, reason: 'rows' })).toBe(2)
    expect(value('stockpipe_sink_groups_total', { ...sink, reason: 'age' })).toBe(1)
    expect(value('stockpipe_sink_records_total', sink)).toBe(25)
    expect(value('stockpipe_sink_rows_total', sink)).toBe(27)
    expect(value('stockpipe_sink_dead_letters_total', sink)).toBe(3)
    const data = { ...sink, kind: 'data' }
    expect(value('stockpipe_sink_file_size_bytes_count', data)).toBe(3)
    expect(value('stockpipe_sink_file_size_bytes_sum', data)).toBe(300_000)
    expect(value('stockpipe_sink_file_size_bytes_bucket', { ...data, le: '65536' })).toBe(0)
    expect(value('stockpipe_sink_file_size_bytes_bucket', { ...data, le: '262144' })).toBe(3)
    expect(value('stockpipe_sink_file_size_bytes_count', { ...sink, kind: 'dead-letters' })).toBe(3)
    expect(value('stockpipe_sink_step_duration_seconds_sum', { ...sink, step: 'stage' })).toBe(4.5)
    expect(value('stockpipe_sink_step_duration_seconds_count', { ...sink, step: 'register' })).toBe(3)
  })

  it('measures freshness from the newest event time to the publication, and no table’s without one', () => {
    const { value } = metricsUnderTest()
    channels.s3Sink.group.publish(() => groupOf({ maxEventTime: null, minEventTime: null }))
    expect(value('stockpipe_sink_freshness_seconds_count', sink)).toBeUndefined()
    channels.s3Sink.group.publish(() => groupOf())
    channels.s3Sink.group.publish(() => groupOf({ maxEventTime: publishedAt + 5000 }))
    expect(value('stockpipe_sink_freshness_seconds_sum', sink)).toBe(2.5)
    expect(value('stockpipe_sink_freshness_seconds_bucket', { ...sink, le: '1' })).toBe(1)
    expect(value('stockpipe_sink_freshness_seconds_bucket', { ...sink, le: '5' })).toBe(2)
    expect(value('stockpipe_sink_newest_event_time_seconds', log)).toBe((publishedAt + 5000) / 1000)
    expect(value('stockpipe_sink_last_group_time_seconds', log)).toBe(publishedAt / 1000)
    expect(value('stockpipe_sink_published_offset', log)).toBe(20)
  })

  it('counts requests by operation and outcome, their bytes and time', () => {
    const { value } = metricsUnderTest()
    const request = { ...sink, key: 'k', millis: 30, bytes: 700, outcome: 'ok' } as const
    channels.s3Sink.request.publish(() => ({ ...request, store: 'table', operation: 'UploadPart' }))
    channels.s3Sink.request.publish(() => ({
      ...request,
      store: 'journal',
      operation: 'PutObject',
      outcome: 'unknown',
    }))
    const part = { ...sink, store: 'table', operation: 'UploadPart', outcome: 'ok' }
    expect(value('stockpipe_sink_requests_total', part)).toBe(1)
    const put = { ...sink, store: 'journal', operation: 'PutObject', outcome: 'unknown' }
    expect(value('stockpipe_sink_requests_total', put)).toBe(1)
    const operation = { ...sink, operation: 'UploadPart' }
    expect(value('stockpipe_sink_transfer_bytes_total', operation)).toBe(700)
    expect(value('stockpipe_sink_request_duration_seconds_sum', operation)).toBe(0.03)
  })

  it('counts repeats by what was done, fencings, failures and settled groups', () => {
    const { value } = metricsUnderTest()
    const retry = { sink: 'trades', attempt: 1, code: 'OBJECT_STORE_UNKNOWN', delayMillis: 100 }
    channels.s3Sink.retry.publish(() => ({ ...retry, what: 'claiming ticks-3 at 10' }))
    channels.s3Sink.retry.publish(() => ({ ...retry, what: 'claiming ticks-4 at 99' }))
    const claiming = { ...sink, action: 'claiming', code: 'OBJECT_STORE_UNKNOWN' }
    expect(value('stockpipe_sink_retries_total', claiming)).toBe(2)
    const error = new StockpipeError({ code: 'FENCED', message: 'fenced' })
    const ended = { sink: 'trades', topic: 'ticks', partition: 3, error }
    channels.s3Sink.fenced.publish(() => ended)
    channels.s3Sink.failed.publish(() => ended)
    channels.s3Sink.settled.publish(() => ({
      ...ended,
      start: 0n,
      next: 1n,
      writer: 'w',
      files: 1,
      millis: 5,
    }))
    for (const name of ['fenced', 'failed', 'settled']) {
      expect(value(`stockpipe_sink_${name}_total`, sink)).toBe(1)
    }
  })

  it('shows memory, and buffered rows until the log is gone', () => {
    const { value } = metricsUnderTest()
    channels.s3Sink.memory.publish(() => ({ ...sink, usedBytes: 5, limitBytes: 10, full: true }))
    expect(value('stockpipe_sink_memory_used_bytes', sink)).toBe(5)
    expect(value('stockpipe_sink_memory_limit_bytes', sink)).toBe(10)
    expect(value('stockpipe_sink_memory_full', sink)).toBe(1)
    const buffered = { sink: 'trades', topic: 'ticks', partition: 3, rows: 7, bytes: 900 }
    channels.s3Sink.group.publish(() => groupOf())
    channels.s3Sink.buffered.publish(() => ({ ...buffered, open: true }))
    expect(value('stockpipe_sink_buffered_rows', log)).toBe(7)
    channels.s3Sink.buffered.publish(() => ({ ...buffered, rows: 0, bytes: 0, open: false }))
    for (const name of ['buffered_rows', 'buffered_memory_bytes', 'newest_event_time_seconds']) {
      expect(value(`stockpipe_sink_${name}`, log)).toBeUndefined()
    }
    expect(value('stockpipe_sink_rows_total', sink)).toBe(9)
  })

  it('shows what a consumer reads and how far it is behind, and forgets partitions that leave', () => {
    const { value } = metricsUnderTest()
    const group = { group: 'lake' }
    const position = { topic: 'ticks', partition: 3 }
    channels.kafka.joined.publish(() => ({ groupId: 'lake', memberId: 'a', partitions: [position] }))
    channels.kafka.block.publish(() => ({
      groupId: 'lake',
      topic: 'ticks',
      partition: 3,
      records: 10,
      bytes: 500,
      millis: 250,
    }))
    channels.kafka.lag.publish(() => lagOf())
    const topic = { ...group, topic: 'ticks' }
    expect(value('stockpipe_consumer_records_total', topic)).toBe(10)
    expect(value('stockpipe_consumer_read_bytes_total', topic)).toBe(500)
    expect(value('stockpipe_consumer_sink_wait_seconds_total', topic)).toBe(0.25)
    expect(value('stockpipe_consumer_lag_records', member)).toBe(42)
    expect(value('stockpipe_consumer_lag_seconds', member)).toBe(1.5)
    expect(value('stockpipe_consumer_partitions', group)).toBe(1)
    expect(value('stockpipe_consumer_joins_total', group)).toBe(1)
    channels.kafka.lag.publish(() => lagOf({ seconds: null }))
    expect(value('stockpipe_consumer_lag_seconds', member)).toBeUndefined()
    channels.kafka.revoked.publish(() => ({ groupId: 'lake', partitions: [position], drained: true }))
    expect(value('stockpipe_consumer_lag_records', member)).toBeUndefined()
    channels.kafka.left.publish(() => ({ groupId: 'lake' }))
    expect(value('stockpipe_consumer_partitions', group)).toBeUndefined()
  })

  it('counts what a producer delivered and what it could not', () => {
    const { value } = metricsUnderTest()
    const batch = { topic: 'ticks', partition: 0, records: 100, bytes: 5000, millis: 40 }
    channels.kafka.delivery.publish(() => ({ ...batch, outcome: 'delivered' }))
    channels.kafka.delivery.publish(() => ({ ...batch, outcome: 'failed', code: 'DELIVERY_FAILED' }))
    expect(value('stockpipe_producer_records_total', { topic: 'ticks', outcome: 'delivered' })).toBe(100)
    expect(value('stockpipe_producer_records_total', { topic: 'ticks', outcome: 'failed' })).toBe(100)
    expect(value('stockpipe_producer_sent_bytes_total', { topic: 'ticks' })).toBe(5000)
  })

  it('begins the counters of named sinks at 0, so that an alert sees the first increase', () => {
    const { value } = metricsUnderTest({ sinks: ['trades', 'quotes'] })
    for (const name of ['fenced', 'failed', 'settled', 'dead_letters', 'records', 'rows']) {
      expect(value(`stockpipe_sink_${name}_total`, sink)).toBe(0)
      expect(value(`stockpipe_sink_${name}_total`, { sink: 'quotes' })).toBe(0)
    }
  })

  it('writes any label value so that a strict reader gets it back', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '{', '}', ',', '=', 'é', ' ') }),
        (name) => {
          using metrics = createMetrics()
          channels.s3Sink.settled.publish(() => ({
            sink: name,
            topic: 'ticks',
            partition: 0,
            start: 0n,
            next: 1n,
            writer: 'w',
            files: 1,
            millis: 1,
          }))
          const family = parsePrometheus(metrics.text()).get('stockpipe_sink_settled_total')
          expect(family?.samples).toEqual([
            { name: 'stockpipe_sink_settled_total', labels: { sink: name }, value: 1 },
          ])
        },
      ),
    )
  })

  it('counts from its making until it is closed, and keeps what it has', () => {
    const { metrics, value } = metricsUnderTest()
    channels.s3Sink.group.publish(() => groupOf())
    metrics.close()
    metrics.close()
    channels.s3Sink.group.publish(() => groupOf())
    expect(value('stockpipe_sink_rows_total', sink)).toBe(9)
    expect(channels.s3Sink.group.hasSubscribers).toBe(false)
  })
})
