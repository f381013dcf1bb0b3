import { readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LeaderEpochs } from '../../src/kafka/log/leader-epochs.ts'
import { PartitionLog } from '../../src/kafka/log/partition-log.ts'
import { readBatchHeader } from '../../src/kafka/log/record-batch.ts'
import { afterTest, temporaryDirectory } from './broker-fixture.ts'
import { recordBatch } from './record-batch-fixture.ts'

const settings = {
  usesLogAppendTime: false,
  segmentBytes: 10_000_000,
  segmentMillis: 604_800_000,
  retentionBytes: -1,
  retentionMillis: -1,
}

const openLog = (directory: string): PartitionLog => {
  const log = new PartitionLog(directory, () => settings)
  afterTest(() => log.close())
  return log
}

const epochOf = (log: PartitionLog, offset: number): number =>
  readBatchHeader(log.read(offset, log.logEndOffset, 1000, true).records).leaderEpoch

test('an epoch ends where the next one that wrote anything begins', () => {
  const epochs = new LeaderEpochs([
    { epoch: 1, startOffset: 0 },
    { epoch: 3, startOffset: 10 },
  ])
  // Nothing is written in epoch 4.
  epochs.begin(4, 20)
  epochs.begin(5, 20)
  expect(epochs.snapshot().map(({ epoch }) => epoch)).toEqual([1, 3, 5])
  expect(epochs.endOf(1, 30)).toEqual({ leaderEpoch: 1, endOffset: 10 })
  // One without records is answered by the largest below it that has some.
  expect(epochs.endOf(2, 30)).toEqual({ leaderEpoch: 1, endOffset: 10 })
  expect(epochs.endOf(4, 30)).toEqual({ leaderEpoch: 3, endOffset: 20 })
  expect(epochs.endOf(5, 30)).toEqual({ leaderEpoch: 5, endOffset: 30 })
  expect(epochs.endOf(6, 30)).toEqual({ leaderEpoch: -1, endOffset: -1 })
  // Older than any that is known: where the first known one begins.
  expect(epochs.endOf(0, 30)).toEqual({ leaderEpoch: 0, endOffset: 0 })
  epochs.forgetBefore(12)
  expect(epochs.endOf(1, 30)).toEqual({ leaderEpoch: 1, endOffset: 12 })
  expect([11, 12, 20, 30].map((offset) => epochs.at(offset))).toEqual([-1, 3, 5, 5])
})

test('a log begins another epoch each time it is opened, and keeps those of its records', async () => {
  const directory = join(temporaryDirectory(), 'log')
  const first = openLog(directory)
  first.append(await recordBatch({ values: ['a', 'b'] }))
  expect([first.leaderEpoch, epochOf(first, 0)]).toEqual([0, 0])
  first.close()
  const second = openLog(directory)
  second.append(await recordBatch({ values: ['c'] }))
  // Killed: nothing of what it has in memory is saved.
  const third = openLog(directory)
  expect(third.leaderEpoch).toBe(2)
  expect([epochOf(third, 1), epochOf(third, 2)]).toEqual([0, 1])
  expect(third.leaderEpochs.endOf(0, 3)).toEqual({ leaderEpoch: 0, endOffset: 2 })
  expect(third.leaderEpochs.endOf(1, 3)).toEqual({ leaderEpoch: 1, endOffset: 3 })
})

test('an epoch whose records are lost with the end of the log does not come again', async () => {
  const directory = join(temporaryDirectory(), 'log')
  openLog(directory).close()
  const second = openLog(directory)
  second.append(await recordBatch({ values: ['a'] }))
  const [segment] = readdirSync(directory).filter((name) => name.endsWith('.log'))
  const size = second.sizeBytes
  second.append(await recordBatch({ values: ['b'] }))
  expect(second.leaderEpoch).toBe(1)
  for (const [kept, epoch] of [
    [size, 2],
    [0, 3],
  ] as const) {
    truncateSync(join(directory, segment!), kept)
    const next = openLog(directory)
    expect(next.leaderEpoch).toBe(epoch)
    next.append(await recordBatch({ values: ['c'] }))
    expect(next.leaderEpochs.endOf(1, next.logEndOffset).endOffset).toBe(kept === 0 ? 0 : 1)
  }
})
