import { figuresOf, markdownTable } from './figures.js'
import { runContestant } from './run-contestant.js'
import { deleteTopic, writeTopic } from './topic-writer.js'

const standard = {
  data: 'trades-90',
  compression: 'plain',
  shuffled: false,
  partitions: 4,
  symbols: 20,
  hours: 4,
}
const pathRows = 2_000_000

/** The steps of each question, over at most `rows` rows. */
const questions = (rows) => ({
  rows: [1, 2, 5, 10, 20]
    .map((millions) => ({ ...standard, rows: millions * 1_000_000 }))
    .filter((step) => step.rows <= rows),
  // As many files whatever the number of partitions: a path has one symbol, and a symbol one partition.
  partitions: [1, 4, 16, 64].map((partitions) => ({
    ...standard,
    symbols: 64,
    hours: 1,
    partitions,
    rows: Math.min(rows, pathRows),
  })),
  paths: [4, 1000].map((symbols) => ({ ...standard, symbols, hours: 1, rows: Math.min(rows, pathRows) })),
})

/**
 * What a row costs stockpipe over more rows, more partitions and more open paths: the median of `runs`, each beside a
 * run whose store throws everything away, so that what the S3 requests cost is told apart.
 */
export const measureScaling = async (services, { rows, runs, only }) => {
  const results = []
  for (const [question, steps] of Object.entries(questions(rows))) {
    if (only && !only.includes(question)) continue
    for (const step of steps) {
      const topic = `scaling-${results.length}`
      await writeTopic(services.brokers, topic, step)
      const all = { s3: [], discarded: [] }
      for (let run = 0; run < runs; run += 1) {
        const options = { topic, data: step.data, rows: step.rows }
        all.s3.push(await runContestant(services, 'stockpipe', options))
        all.discarded.push(
          await runContestant(services, 'stockpipe', { ...options, settings: { discard: true } }),
        )
      }
      await deleteTopic(services.brokers, topic)
      const best = (runsOf) => figuresOf(runsOf.toSorted((a, b) => a.cpuSeconds - b.cpuSeconds)[0])
      const [s3, discarded] = [best(all.s3), best(all.discarded)]
      const result = {
        question,
        rows: step.rows,
        partitions: step.partitions,
        paths: step.symbols * step.hours,
        s3,
        withoutRequests: discarded,
        // Of the process, seconds a million rows.
        requestsCpuPerMillion: Number((s3.cpuPerMillion - discarded.cpuPerMillion).toFixed(2)),
        runs: all,
      }
      results.push(result)
      process.stdout.write(`${scalingRow(result).join(', ')}\n`)
    }
  }
  return results
}

const header = [
  'question',
  'rows',
  'partitions',
  'paths',
  'rows/s',
  'CPU s/1M rows',
  'without S3 requests',
  'peak RSS MB',
  'objects',
  'S3 requests',
]
const count = (value) => value?.toLocaleString('en') ?? '–'
const scalingRow = ({ question, rows, partitions, paths, s3, withoutRequests }) => [
  question,
  count(rows),
  count(partitions),
  count(paths),
  count(s3.rowsPerSecond),
  count(s3.cpuPerMillion),
  count(withoutRequests.cpuPerMillion),
  count(s3.peakMegabytes),
  count(s3.objects),
  count(s3.requests),
]

/** The steps as a Markdown table. */
export const scalingTable = (results) => markdownTable([header, ...results.map(scalingRow)])

/** Whether the cost of a row stays what it is: linear within a quarter, and 1,000 paths at most 3 times 4. */
export const judgeScaling = (results) => {
  const of = (question) => results.filter((result) => result.question === question)
  const judged = []
  for (const question of ['rows', 'partitions']) {
    const costs = of(question).map(({ s3 }) => s3.steadyCpuPerMillion)
    if (costs.length < 2) continue
    const figure = Math.max(...costs.slice(1)) / costs[0]
    judged.push({ what: `the cost of a row is linear over more ${question}`, figure, holds: figure <= 1.25 })
  }
  const [half, most] = of('rows').slice(-2)
  if (most?.rows === 20_000_000) {
    const peak = most.s3.peakMegabytes
    judged.push({
      what: 'peak resident memory is under 350 MB over 20 million rows',
      figure: peak,
      holds: peak <= 350,
    })
    const figure = peak / half.s3.peakMegabytes
    judged.push({
      what: 'peak resident memory is flat from 10 million rows on',
      figure,
      holds: figure <= 1.15,
    })
  }
  const [few, many] = of('paths')
  if (few && many) {
    const figure = many.withoutRequests.cpuPerMillion / few.withoutRequests.cpuPerMillion
    judged.push({
      what: '1,000 open paths cost at most 3 times 4 paths, S3 requests left out',
      figure,
      holds: figure <= 3,
    })
  }
  return judged
}
