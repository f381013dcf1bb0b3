export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|[+-]Inf|NaN)$/
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/y
const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}

/** Reads Prometheus's text format 0.0.4 and throws at the first thing the format does not allow. */
export const parsePrometheus = (text: string): ReadonlyMap<string, Family> => {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, Family & { samples: Sample[] }>()
  let current: (Family & { samples: Sample[] }) | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP (\S+) (.*)$/.exec(line)
    if (help) {
      const [, name, words] = help as unknown as [string, string, string]
      if (families.has(name)) throw new Error(`${name} comes twice`)
      if (!metricName.test(name)) throw new Error(`${name} is no name`)
      if (/\\(?![\\n])/.test(words)) throw new Error(`unknown escape in the help of ${name}`)
      current = { name, type: '', help: words, samples: [] }
      families.set(name, current)
      continue
    }
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line)
    if (type) {
      if (current?.name !== type[1] || current?.type !== '') throw new Error(`TYPE out of place: ${line}`)
      current = { ...current!, type: type[2]! }
      families.set(current.name, current)
      continue
    }
    const sample = sampleOf(line)
    const family = current
    if (!family || !suffixes[family.type]?.some((suffix) => sample.name === family.name + suffix)) {
      throw new Error(`a sample outside of its family: ${line}`)
    }
    const id = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
    const repeated = family.samples.some(
      (other) => JSON.stringify([other.name, Object.entries(other.labels).sort()]) === id,
    )
    if (repeated) throw new Error(`comes twice: ${line}`)
    family.samples.push(sample)
  }
  for (const family of families.values()) check(family)
  return families
}

const sampleOf = (line: string): Sample => {
  const match = sampleLine.exec(line)
  if (!match) throw new Error(`no sample: ${line}`)
  const [, name, labelText = '', value] = match as unknown as [string, string, string | undefined, string]
  const labels: Record<string, string> = {}
  labelPair.lastIndex = 0
  while (labelPair.lastIndex < labelText.length) {
    const at = labelPair.lastIndex
    const pair = labelPair.exec(labelText)
    if (!pair || pair.index !== at) throw new Error(`no labels: ${line}`)
    if (Object.hasOwn(labels, pair[1]!)) throw new Error(`label ${pair[1]} comes twice: ${line}`)
    labels[pair[1]!] = pair[2]!.replace(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter))
  }
  return { name, labels, value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value) }
}

const check = ({ name, type, samples }: Family): void => {
  if (type === 'counter' && !name.endsWith('_total')) throw new Error(`counter ${name} lacks _total`)
  if (type === 'counter' && samples.some(({ value }) => value < 0)) throw new Error(`${name} is below 0`)
  if (type !== 'histogram') return
  const series = new Map<string, { buckets: [number, number][]; sum?: number; count?: number }>()
  for (const { name: sampleName, labels, value } of samples) {
    const { le, ...others } = labels
    const key = JSON.stringify(Object.entries(others).sort())
    const one = series.get(key) ?? { buckets: [] }
    series.set(key, one)
    if (sampleName.endsWith('_bucket')) {
      if (le === undefined) throw new Error(`a bucket of ${name} without le`)
      one.buckets.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value])
    } else if (sampleName.endsWith('_sum')) one.sum = value
    else one.count = value
  }
  for (const { buckets, sum, count } of series.values()) {
    if (sum === undefined || count === undefined) throw new Error(`${name} lacks sum or count`)
    if (buckets.at(-1)?.[0] !== Number.POSITIVE_INFINITY) throw new Error(`${name} lacks +Inf`)
    if (buckets.at(-1)![1] !== count) throw new Error(`${name}: +Inf is not the count`)
    for (const [index, [bound, value]] of buckets.entries()) {
      const before = buckets[index - 1]
      if (before && (before[0] >= bound || before[1] > value)) throw new Error(`${name}: buckets fall`)
    }
  }
}
