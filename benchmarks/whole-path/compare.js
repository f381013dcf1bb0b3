import { Random } from '../../checks/stack/random.js'
import { dataSets } from './data-sets.js'
import { figuresOf, medianFigures } from './figures.js'
import { runContestant } from './run-contestant.js'
import { deleteTopic, writeTopic } from './topic-writer.js'

const warmUpRows = 50_000
const killSettings = { rowsPerFlush: 50_000, sessionTimeoutMillis: 10_000 }

const line = (text) => process.stdout.write(`${text}\n`)

const told = ({ rowsPerSecond, cpuPerMillion, peakMegabytes, lost, doubled }) =>
  `${rowsPerSecond.toLocaleString('en')} rows/s, ${cpuPerMillion} CPU s/1M, ${peakMegabytes} MB, ${lost} lost, ${doubled} doubled`

/** Every contestant once over a few rows: caches are warm, and whoever does not work fails now. */
export const warmUp = async (services, names) => {
  const set = dataSets['90-plain-in-order']
  await writeTopic(services.brokers, 'warm-up', { ...set, rows: warmUpRows })
  for (const name of names) {
    await runContestant(services, name, { topic: 'warm-up', data: set.data, rows: warmUpRows })
  }
}

/** Several runs of every contestant over one data set, one contestant after the other in each run. */
export const compare = async (services, names, { dataSet, rows, runs, profile }) => {
  const nodeArguments = profile ? ['--cpu-prof', '--cpu-prof-dir', profile, '--cpu-prof-interval', '500'] : []
  const set = dataSets[dataSet]
  const topic = `trades-${dataSet}`
  const { meanBytes } = await writeTopic(services.brokers, topic, { ...set, rows })
  line(`${dataSet}: ${rows.toLocaleString('en')} trades of ${meanBytes.toFixed(1)} bytes`)
  const results = Object.fromEntries(names.map((name) => [name, []]))
  for (let run = 1; run <= runs; run += 1) {
    for (const name of names) {
      const result = await runContestant(services, name, { topic, data: set.data, rows, nodeArguments })
      results[name].push(result)
      line(`  run ${run}, ${name}: ${told(figuresOf(result))}`)
    }
  }
  await deleteTopic(services.brokers, topic)
  return {
    dataSet,
    rows,
    meanBytes,
    figures: Object.fromEntries(names.map((name) => [name, medianFigures(results[name])])),
    runs: results,
  }
}

/**
 * Every contestant killed with -9 `kills` times at random, each time started again, until all is committed. All flush
 * every 50,000 rows, so that there is something to lose.
 */
export const compareKilled = async (services, names, { dataSet, rows, kills, seed }) => {
  const random = new Random(seed)
  const set = dataSets[dataSet]
  await writeTopic(services.brokers, 'killed', { ...set, rows })
  const figures = {}
  for (const name of names) {
    const share = rows / (kills + 1)
    const plan = Array.from({ length: kills }, () => ({
      rows: Math.round(share * 0.3 + random.below(share * 0.6)),
      millis: random.below(600),
    }))
    const result = await runContestant(services, name, {
      topic: 'killed',
      data: set.data,
      rows,
      settings: killSettings,
      kills: plan,
    })
    figures[name] = {
      killed: result.killed,
      lost: result.lost,
      doubled: result.doubled,
      objects: result.objects,
    }
    line(
      `  killed ${result.killed} times, ${name}: ${result.lost.toLocaleString('en')} lost, ${result.doubled.toLocaleString('en')} doubled`,
    )
  }
  await deleteTopic(services.brokers, 'killed')
  return { dataSet, rows, kills, seed, rowsPerFlush: killSettings.rowsPerFlush, figures }
}
