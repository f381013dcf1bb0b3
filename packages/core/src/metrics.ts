import { type Instrument, instruments } from './telemetry/instruments.ts'
import { PrometheusRecorder } from './telemetry/prometheus.ts'
import { recordChannels } from './telemetry/recorder.ts'

export interface MetricsOptions {
  /**
   * Names of sinks whose counters (records, rows, dead letters, settled, fenced, failed) begin at 0 instead of with
   * the first event, so that an alert on an increase sees the first one.
   */
  readonly sinks?: readonly string[]
}

/** What stockpipe's packages do in this process, since it was made. */
export interface Metrics extends Disposable {
  /** Of `text()`: Prometheus's text format 0.0.4. */
  readonly contentType: string
  text(): string
  /** Ends the subscriptions; what was counted stays. */
  close(): void
}

/**
 * Counts what the telemetry channels of this process say, for Prometheus. Several may be made; each counts from its
 * making on. Names, labels and meaning: `docs/operations.md`.
 */
export const createMetrics = ({ sinks = [] }: MetricsOptions = {}): Metrics => {
  const all: readonly Instrument[] = Object.values(instruments)
  const recorder = new PrometheusRecorder(all)
  for (const instrument of all) {
    const bySinkAlone = instrument.labels.length === 1 && instrument.labels[0] === 'sink'
    if (instrument.kind !== 'counter' || !bySinkAlone) continue
    for (const sink of sinks) recorder.add(instrument, 0, { sink })
  }
  const close = recordChannels(recorder)
  return {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    text: () => recorder.text(),
    close,
    [Symbol.dispose]: close,
  }
}
