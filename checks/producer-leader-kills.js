import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildFast, install } from '../scripts/workspace.js'
import { Cluster } from './leader-kills/cluster.js'
import { readLog } from './leader-kills/read-log.js'
import { writePlainly, writeWithStockpipe } from './leader-kills/writers.js'
import { within } from './stack/stack-process.js'

// kill -9 of the broker that leads a partition, again and again, on three real brokers under load: the producer of
// @stockpipe/kafka loses and doubles nothing, and its report says where each row is. Apache Kafka's own consumer reads the
// log. A plain kafkajs producer runs beside it; what that loses is shown, not asserted.
// `node checks/producer-leader-kills.js [kills]`
const kills = Number(process.argv[2] ?? 10)
if (!Number.isInteger(kills) || kills < 1)
  throw new Error('usage: node checks/producer-leader-kills.js [kills]')
const partitions = 6
const boundMillis = 120_000

await install('all')
await buildFast(['packages/core', 'packages/kafka'])
// A broker that is silent for 3 s is given up, so that leaders move sooner than after the default 9 s.
const cluster = await Cluster.start(['broker.session.timeout.ms=3000', 'broker.heartbeat.interval.ms=500'])
if (cluster === undefined) process.exit(0)
try {
  await cluster.createTopics(['numbered', 'plain'], partitions)
  const stop = new AbortController()
  const ours = writeWithStockpipe(cluster.brokers, 'numbered', partitions, stop.signal)
  const plain = writePlainly(cluster.brokers, 'plain', partitions, stop.signal)
  // Whoever fails before it is told to stop ends the check.
  const failing = Promise.race([ours, plain]).then(() => {
    if (!stop.signal.aborted) throw new Error('a writer ended by itself')
  })
  failing.catch(() => {})
  const killing = async () => {
    let moved = 0
    for (let kill = 1; kill <= kills; kill++) {
      await sleep(1500)
      // In turn a partition of ours and one of the plain producer's, so that both meet the same.
      const [topic, partition] = [kill % 2 === 1 ? 'numbered' : 'plain', kill % partitions]
      const leaders = await cluster.leaders('numbered')
      const node = (await cluster.leaders(topic)).get(partition)
      await within(cluster.killAndAwait(node), boundMillis, 'the restart of a killed node')
      await within(
        cluster.inSync(['numbered', 'plain'], partitions),
        boundMillis,
        'copies in sync after a kill',
      )
      const after = await cluster.leaders('numbered')
      for (const [id, leader] of leaders) if (after.get(id) !== leader) moved += 1
      console.log(`kill ${kill}: node ${node}, leader of ${topic}-${partition}, is back and in sync`)
    }
    return moved
  }
  const moved = await Promise.race([killing(), failing])
  await sleep(1000)
  stop.abort()
  const sent = await within(ours, boundMillis, 'the last acknowledgements')
  const sentPlainly = await within(plain, boundMillis, 'the last acknowledgements of the plain producer')

  const log = await readLog(cluster, 'numbered')
  let [lost, misplaced] = [0, 0]
  for (const [id, place] of sent.acknowledged) {
    const found = log.places.get(id)
    if (found === undefined) lost += 1
    else if (found !== place) misplaced += 1
  }
  const { statistics } = sent
  console.log(
    `figure: ${kills} leader kills on three brokers, ${moved} leaders moved: ${sent.acknowledged.size} rows acknowledged, ` +
      `lost ${lost}, doubled ${log.doubled}; ${sent.failed} sends failed`,
  )
  console.log(
    `figure: ${statistics.requests} requests, ${statistics.retriedBatches} batches sent again, ${statistics.repeatedBatches} of ` +
      `them perhaps written before, ${statistics.leaderMoves} to another leader; longest send ${sent.longestMillis} ms`,
  )
  const plainLog = await readLog(cluster, 'plain')
  const plainLost = sentPlainly.acknowledged.filter((id) => !plainLog.places.has(id)).length
  console.log(
    `figure: plain kafkajs beside it (idempotent): ${sentPlainly.acknowledged.length} rows acknowledged, lost ${plainLost}, ` +
      `doubled ${plainLog.doubled}; ${sentPlainly.failed} sends failed; longest send ${sentPlainly.longestMillis} ms`,
  )
  assert.equal(sent.failed, 0, 'a send failed')
  assert.equal(lost, 0, 'acknowledged rows are not in the log')
  assert.equal(log.doubled, 0, 'rows are in the log twice')
  assert.equal(misplaced, 0, 'rows are not where their delivery report says')
  assert.equal(log.places.size, sent.acknowledged.size, 'the log holds rows that nobody acknowledged')
  assert.ok(sent.acknowledged.size > kills * 1000, 'too few rows to say anything')
  assert.ok(statistics.retriedBatches > 0, 'no batch met a kill')
} finally {
  await cluster.end()
}
process.exit(0)
