import {
  type Attributes,
  type Counter,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
  type ObservableGauge,
  type ObservableResult,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { systemRuntime } from './runtime.ts'
import { type Instrument, instruments, type Label } from './telemetry/instruments.ts'
import { type LabelValues, type Recorder, recordChannels } from './telemetry/recorder.ts'
import { recordSpans } from './telemetry/spans.ts'

declare const __PACKAGE_VERSION__: string

const scope = '@stockpipe/core'

export interface OpenTelemetryOptions {
  /** Default: the global one. */
  readonly meterProvider?: MeterProvider
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider
}

/** A bridge that can be taken down. */
export interface OpenTelemetryBridge extends Disposable {
  /** Ends the subscriptions; providers and exporters are the program's own. */
  close(): void
}

/**
 * Feeds what stockpipe's packages do in this process to OpenTelemetry: the instruments of `docs/operations.md`, and a
 * span for each published group with its steps, each settled group, each produced batch, each partition log that
 * failed or was fenced. Spans are written when their work has ended, so nothing nests in them.
 */
export const bridgeOpenTelemetry = (options: OpenTelemetryOptions = {}): OpenTelemetryBridge => {
  const meter = (options.meterProvider ?? metrics).getMeter(scope, __PACKAGE_VERSION__)
  const tracer = (options.tracerProvider ?? trace).getTracer(scope, __PACKAGE_VERSION__)
  const recorder = new MeterRecorder(meter)
  const ends = [recordChannels(recorder), recordSpans(tracer, systemRuntime.now), () => recorder.close()]
  const close = () => {
    for (const end of ends.splice(0)) end()
  }
  return { close, [Symbol.dispose]: close }
}

/** Attribute names of labels: those of the messaging conventions, and our own below `stockpipe.`. */
const attributeNames: Readonly<Partial<Record<Label, string>>> = {
  topic: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  group: 'messaging.consumer.group.name',
}

const attributesOf = (labels: LabelValues): Attributes =>
  Object.fromEntries(
    Object.entries(labels).map(([label, value]) => [
      attributeNames[label as Label] ?? `stockpipe.${label}`,
      value,
    ]),
  )

class MeterRecorder implements Recorder {
  readonly #counters = new Map<Instrument, Counter | Histogram>()
  readonly #gauges = new Map<Instrument, Gauge>()

  constructor(meter: Meter) {
    for (const instrument of Object.values(instruments)) {
      const { name, kind, unit, help: description, buckets } = instrument
      const options = { unit, description }
      if (kind === 'gauge') {
        this.#gauges.set(instrument, new Gauge(meter.createObservableGauge(name, options)))
      } else if (kind === 'counter') this.#counters.set(instrument, meter.createCounter(name, options))
      else {
        const advice = { explicitBucketBoundaries: [...buckets] }
        this.#counters.set(instrument, meter.createHistogram(name, { ...options, advice }))
      }
    }
  }

  add(instrument: Instrument, amount: number, labels: LabelValues): void {
    const target = this.#counters.get(instrument)!
    if ('record' in target) target.record(amount, attributesOf(labels))
    else target.add(amount, attributesOf(labels))
  }

  set(instrument: Instrument, value: number | undefined, labels: LabelValues): void {
    this.#gauges.get(instrument)!.set(value, labels)
  }

  close(): void {
    for (const gauge of this.#gauges.values()) gauge.close()
  }
}

/**
 * A gauge that is asked for. One whose partition has left answers NaN from then on: readers with cumulative
 * temporality would go on exporting the last value of a series that is left out.
 */
class Gauge {
  readonly #values = new Map<string, { readonly value: number; readonly attributes: Attributes }>()
  readonly #gauge: ObservableGauge
  readonly #observe = (result: ObservableResult) => {
    for (const { value, attributes } of this.#values.values()) result.observe(value, attributes)
  }

  constructor(gauge: ObservableGauge) {
    this.#gauge = gauge
    gauge.addCallback(this.#observe)
  }

  set(value: number | undefined, labels: LabelValues): void {
    const key = JSON.stringify(labels)
    if (value === undefined && !this.#values.has(key)) return
    this.#values.set(key, { value: value ?? Number.NaN, attributes: attributesOf(labels) })
  }

  close(): void {
    this.#gauge.removeCallback(this.#observe)
  }
}
