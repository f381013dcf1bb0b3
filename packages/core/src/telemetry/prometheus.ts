import type { Instrument } from './instruments.ts'
import type { LabelValues, Recorder } from './recorder.ts'

const units: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' }

/** The name of an instrument at Prometheus: base unit and `_total` at its end. */
export const prometheusName = ({ name, kind, unit }: Instrument): string =>
  name.replaceAll('.', '_') + (units[unit] ?? '') + (kind === 'counter' ? '_total' : '')

interface Series {
  /** `sink="trades",step="claim"`. */
  readonly labels: string
  /** Of a counter or gauge; the sum of a histogram. */
  value: number
  /** How many values of a histogram fell in each bucket, beyond the last one too. */
  readonly counts: number[]
}

/** Keeps the newest state of every instrument and writes it as Prometheus's text format, version 0.0.4. */
export class PrometheusRecorder implements Recorder {
  readonly #families: ReadonlyMap<Instrument, Map<string, Series>>

  constructor(instruments: readonly Instrument[]) {
    this.#families = new Map(instruments.map((instrument) => [instrument, new Map()]))
  }

  add(instrument: Instrument, amount: number, labels: LabelValues): void {
    const series = this.#series(instrument, labels)
    series.value += amount
    if (instrument.kind !== 'histogram') return
    const bucket = instrument.buckets.findIndex((bound) => amount <= bound)
    const index = bucket < 0 ? instrument.buckets.length : bucket
    series.counts[index]! += 1
  }

  set(instrument: Instrument, value: number | undefined, labels: LabelValues): void {
    if (value !== undefined) this.#series(instrument, labels).value = value
    else this.#families.get(instrument)?.delete(written(instrument, labels))
  }

  text(): string {
    const lines: string[] = []
    for (const [instrument, family] of this.#families) {
      const name = prometheusName(instrument)
      lines.push(`# HELP ${name} ${escaped(instrument.help)}`, `# TYPE ${name} ${instrument.kind}`)
      for (const series of family.values()) lines.push(...seriesLines(name, instrument, series))
    }
    return `${lines.join('\n')}\n`
  }

  #series(instrument: Instrument, labelValues: LabelValues): Series {
    const family = this.#families.get(instrument)!
    const labels = written(instrument, labelValues)
    const known = family.get(labels)
    if (known) return known
    const counts = instrument.kind === 'histogram' ? Array(instrument.buckets.length + 1).fill(0) : []
    const series = { labels, value: 0, counts }
    family.set(labels, series)
    return series
  }
}

const seriesLines = (name: string, { kind, buckets }: Instrument, series: Series): string[] => {
  const { labels, value, counts } = series
  const plain = labels === '' ? '' : `{${labels}}`
  if (kind !== 'histogram') return [`${name}${plain} ${value}`]
  let count = 0
  const lines = counts.map((inBucket, index) => {
    count += inBucket
    const bound = buckets[index] ?? '+Inf'
    return `${name}_bucket{${labels === '' ? '' : `${labels},`}le="${bound}"} ${count}`
  })
  return [...lines, `${name}_sum${plain} ${value}`, `${name}_count${plain} ${count}`]
}

const written = (instrument: Instrument, labels: LabelValues): string =>
  instrument.labels
    .map((label) => `${label}="${escaped(labels[label] ?? '').replaceAll('"', '\\"')}"`)
    .join(',')

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
