import { createMetrics } from '@stockpipe/core/metrics'
import { type ConsumerSummary, createRecordReader, runConsumer } from '@stockpipe/kafka'
import { createSink, type Sink } from '@stockpipe/s3-sink'
import type { SinkConfig } from '../sink-config.ts'
import { kafkaClient } from './kafka-client.ts'
import { startMetricsServer } from './metrics-server.ts'
import { ProgressLines } from './progress-lines.ts'
import { logEvents } from './service-events.ts'
import { ServiceHealth } from './service-health.ts'
import type { ServiceLog } from './service-log.ts'

export interface SinkServiceOptions {
  readonly log: ServiceLog
  readonly signal: AbortSignal
  readonly until: 'latest' | Date | undefined
  readonly drainMillis: number
  /** Where metrics and health are served; undefined: nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined
}

/** Runs a sink until it has caught up (`until`), or the signal has aborted and it has drained. Rejects when it failed. */
export const runSinkService = async (config: SinkConfig, options: SinkServiceOptions): Promise<void> => {
  const { log, signal, until, drainMillis } = options
  const { groupId } = config
  const { name, topic, table } = config.sink
  const health = new ServiceHealth({ sink: name, groupId })
  const metrics = createMetrics({ sinks: [name] })
  const progress = new ProgressLines(log, name)
  const endEvents = logEvents(log, { sink: name, groupId })
  const onAbort = () => {
    health.drain()
    log.info('Draining: what was read is published, nothing more is read.', { drainMillis })
  }
  signal.addEventListener('abort', onAbort, { once: true })
  let server: Awaited<ReturnType<typeof startMetricsServer>> | undefined
  let sink: Sink | undefined
  try {
    server = options.metrics && (await startMetricsServer({ ...options.metrics, metrics, health }))
    if (server) log.info('Serving /metrics, /healthz and /readyz.', { url: server.url })
    const kafka = await kafkaClient(config.kafka, log)
    sink = createSink({ logger: log, readAgain: createRecordReader({ kafka }), ...config.sink })
    log.info(`Sink ${name}: topic ${topic.name} to ${table.location}`, { groupId })
    const summary = await runConsumer({
      ...config.consumer,
      kafka,
      groupId,
      topics: [topic],
      sink,
      ...(until === undefined ? {} : { until }),
      signal,
      drainMillis,
      onProgress: progress.read,
    })
    await sink.close()
    tellEnd(log, summary, health, progress)
  } finally {
    signal.removeEventListener('abort', onAbort)
    // What hindered it was thrown already, or is what runConsumer rejected with.
    await sink?.close().catch(() => {})
    progress.close()
    endEvents()
    metrics.close()
    health.close()
    await server?.close()
    await config.close?.()
  }
}

const tellEnd = (
  log: ServiceLog,
  { reason, positions }: ConsumerSummary,
  health: ServiceHealth,
  progress: ProgressLines,
): void => {
  const { lag: _, ...totals } = progress.totals
  let left = 0n
  for (const position of positions) {
    const behind = position.offset - (health.publishedTo(position) ?? position.offset)
    if (behind > 0n) left += behind
  }
  if (reason === 'reached') log.info('Caught up: everything up to --until is published.', totals)
  else if (left === 0n) log.info('Drained: everything that was read is published.', totals)
  else {
    log.warn('The time to drain was over: what was not published is read again by whoever comes next.', {
      ...totals,
      left,
    })
  }
}
