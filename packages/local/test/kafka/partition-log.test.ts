import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type LogSettings, PartitionLog } from '../../src/kafka/log/partition-log.ts'
import { readBatchHeader } from '../../src/kafka/log/record-batch.ts'
import { afterTest, temporaryDirectory } from './broker-fixture.ts'
import { recordBatch } from './record-batch-fixture.ts'

const settings: LogSettings = {
  usesLogAppendTime: false,
  segmentBytes: 10_000_000,
  segmentMillis: 604_800_000,
  retentionBytes: -1,
  retentionMillis: -1,
}

const openLog = (directory: string, changed: Partial<LogSettings> = {}): PartitionLog => {
  const log = new PartitionLog(directory, () => ({ ...settings, ...changed }))
  afterTest(() => log.close())
  return log
}

const baseOffsets = (records: Buffer): number[] => {
  const offsets: number[] = []
  for (let position = 0; position < records.length; ) {
    const header = readBatchHeader(records, position)
    offsets.push(header.baseOffset)
    position += header.sizeBytes
  }
  return offsets
}

const readAll = (log: PartitionLog, fromOffset = log.logStartOffset): number[] => {
  const offsets: number[] = []
  let offset = fromOffset
  while (offset < log.logEndOffset) {
    const { records } = log.read(offset, log.logEndOffset, 1000, true)
    offsets.push(...baseOffsets(records))
    const last = readBatchHeader(records, lastBatchPosition(records))
    offset = last.lastOffset + 1
  }
  return offsets
}

const lastBatchPosition = (records: Buffer): number => {
  let position = 0
  for (;;) {
    const next = position + readBatchHeader(records, position).sizeBytes
    if (next >= records.length) return position
    position = next
  }
}

const append = async (log: PartitionLog, count: number, recordsEach = 2): Promise<void> => {
  const values = Array.from({ length: recordsEach }, () => 'x'.repeat(100))
  for (let batch = 0; batch < count; batch++) log.append(await recordBatch({ values }))
}

test('batches get consecutive offsets and are read back from the one that holds the offset', async () => {
  const log = openLog(temporaryDirectory())
  await append(log, 5)
  expect(log.logEndOffset).toBe(10)
  expect(baseOffsets(log.read(5, 10, 1_000_000, true).records)).toEqual([4, 6, 8])
  expect(log.read(10, 10, 1_000_000, true).records.length).toBe(0)
})

test('a read keeps to its byte limit in whole batches, but gives a first batch of any size', async () => {
  const log = openLog(temporaryDirectory())
  await append(log, 3)
  const batchBytes = (await recordBatch({ values: ['x'.repeat(100), 'x'.repeat(100)] })).length
  const twoBatches = log.read(0, 6, batchBytes * 3 - 1, true)
  expect(baseOffsets(twoBatches.records)).toEqual([0, 2])
  expect(twoBatches.nextOffset).toBe(4)
  expect(baseOffsets(log.read(2, 6, 1, true).records)).toEqual([2])
  expect(log.read(2, 6, 1, false)).toEqual({ records: Buffer.alloc(0), nextOffset: 2 })
  log.append(await recordBatch({ values: ['y'.repeat(300_000)] }))
  expect(log.read(6, 7, 10, true).records.length).toBeGreaterThan(300_000)
})

test('nothing at or beyond the end offset is read', async () => {
  const log = openLog(temporaryDirectory())
  await append(log, 3)
  expect(baseOffsets(log.read(0, 4, 1_000_000, true).records)).toEqual([0, 2])
})

test('every offset of many segments is found through the sparse index, also after a restart', async () => {
  const directory = temporaryDirectory()
  const log = openLog(directory, { segmentBytes: 50_000 })
  await append(log, 1000)
  expect(readdirSync(directory).filter((name) => name.endsWith('.log')).length).toBeGreaterThan(3)
  const expected = Array.from({ length: 1000 }, (_, batch) => batch * 2)
  expect(readAll(log)).toEqual(expected)
  log.close()
  const reopened = openLog(directory)
  expect(readAll(reopened)).toEqual(expected)
  for (const offset of [0, 1, 777, 778, 1998, 1999]) {
    expect(baseOffsets(reopened.read(offset, 2000, 1, true).records)).toEqual([offset - (offset % 2)])
  }
})

test('a log that was not closed has every appended batch when it is opened again', async () => {
  const directory = temporaryDirectory()
  await append(openLog(directory, { segmentBytes: 5000 }), 60)
  const reopened = openLog(directory)
  expect(readAll(reopened)).toEqual(Array.from({ length: 60 }, (_, batch) => batch * 2))
})

test('a torn tail of any length is cut and the offsets go on behind the last whole batch', async () => {
  const batch = await recordBatch({ values: ['torn'] })
  for (const tornBytes of [1, 11, 60, 61, batch.length - 1]) {
    const directory = temporaryDirectory()
    await append(openLog(directory), 3)
    const path = join(directory, '00000000000000000000.log')
    const sizeBefore = readFileSync(path).length
    appendFileSync(path, batch.subarray(0, tornBytes))
    const reopened = openLog(directory)
    expect(reopened.logEndOffset).toBe(6)
    expect(readFileSync(path).length).toBe(sizeBefore)
    expect(reopened.append(batch.subarray()).baseOffset).toBe(6)
    expect(readAll(reopened)).toEqual([0, 2, 4, 6])
  }
})

test('a last batch whose bytes do not fit its CRC is cut', async () => {
  const directory = temporaryDirectory()
  await append(openLog(directory), 3)
  const path = join(directory, '00000000000000000000.log')
  const bytes = readFileSync(path)
  bytes[bytes.length - 5]! ^= 1
  writeFileSync(path, bytes)
  expect(openLog(directory).logEndOffset).toBe(4)
})

test('damage before the last segment is an error that names the file', async () => {
  const directory = temporaryDirectory()
  const log = openLog(directory, { segmentBytes: 1000 })
  await append(log, 20)
  log.close()
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort()
  truncateSync(join(directory, names[1]!), 100)
  expect(() => new PartitionLog(directory, () => settings)).toThrow(
    expect.objectContaining({ code: 'DATA_DIRECTORY_DAMAGED', message: expect.stringContaining(names[1]!) }),
  )
})

test('a start without index files and checkpoint reads everything from the log', async () => {
  const directory = temporaryDirectory()
  const log = openLog(directory, { segmentBytes: 2000 })
  await append(log, 40)
  log.close()
  for (const name of readdirSync(directory)) if (!name.endsWith('.log')) rmSync(join(directory, name))
  expect(readAll(openLog(directory))).toEqual(Array.from({ length: 40 }, (_, batch) => batch * 2))
})

test('a checkpoint that speaks of lost batches is left aside', async () => {
  const directory = temporaryDirectory()
  const log = openLog(directory)
  for (const firstSequence of [0, 1, 2]) {
    log.append(await recordBatch({ values: ['a'], producerId: 7, firstSequence }))
  }
  log.close()
  const path = join(directory, '00000000000000000000.log')
  truncateSync(path, (readFileSync(path).length / 3) * 2)
  const reopened = openLog(directory)
  expect(reopened.logEndOffset).toBe(2)
  // Taken as the third batch, not as a repetition of the lost one.
  expect(
    reopened.append(await recordBatch({ values: ['a'], producerId: 7, firstSequence: 2 })).baseOffset,
  ).toBe(2)
  expect(reopened.logEndOffset).toBe(3)
})

test('a repeated batch of an idempotent producer gets its old offset, also after a restart', async () => {
  const directory = temporaryDirectory()
  const batch = (firstSequence: number, producerEpoch = 0) =>
    recordBatch({ values: ['a', 'b'], producerId: 7, producerEpoch, firstSequence })
  let log = openLog(directory)
  for (const firstSequence of [0, 2, 4, 6, 8, 10]) log.append(await batch(firstSequence))
  for (const closes of [false, true, false]) {
    expect(log.append(await batch(4)).baseOffset).toBe(4)
    expect(log.append(await batch(10)).baseOffset).toBe(10)
    // Five batches are remembered; the sixth is no repetition any more.
    await expect(async () => log.append(await batch(0))).rejects.toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER', errorCode: 45 }),
    )
    await expect(async () => log.append(await batch(14))).rejects.toThrow(
      expect.objectContaining({ errorCode: 45 }),
    )
    expect(log.logEndOffset).toBe(12)
    if (closes) log.close()
    log = openLog(directory)
  }
  expect(log.append(await batch(0, 1)).baseOffset).toBe(12)
  await expect(async () => log.append(await batch(12))).rejects.toThrow(
    expect.objectContaining({ code: 'INVALID_PRODUCER_EPOCH', errorCode: 47 }),
  )
})

test('an open transaction holds back the last stable offset; an abort is remembered over a restart', async () => {
  const directory = temporaryDirectory()
  const transactional = (producerId: number) =>
    recordBatch({ values: ['a'], producerId, transactional: true })
  const log = openLog(directory)
  await append(log, 1)
  log.append(await transactional(1))
  log.append(await transactional(2))
  expect(log.lastStableOffset).toBe(2)
  log.appendMarker({ producerId: 1, producerEpoch: 0, committed: false })
  expect(log.lastStableOffset).toBe(3)
  const reopened = openLog(directory)
  expect(reopened.lastStableOffset).toBe(3)
  expect(reopened.openTransactions()).toEqual([{ producerId: 2, producerEpoch: 0 }])
  reopened.appendMarker({ producerId: 2, producerEpoch: 0, committed: true })
  expect(reopened.lastStableOffset).toBe(6)
  expect(reopened.abortedBetween(0, 6)).toEqual([{ producerId: 1, firstOffset: 2, lastOffset: 4 }])
  expect(reopened.abortedBetween(5, 6)).toEqual([])
})

test('a record is found by time inside its batch, plain or compressed with gzip', async () => {
  for (const compression of [0, 1]) {
    const log = openLog(temporaryDirectory())
    for (let batch = 0; batch < 300; batch++) {
      const timestamps = [0, 1, 2].map((place) => 1_700_000_000_000 + batch * 30 + place * 10)
      log.append(await recordBatch({ values: ['a', 'b', 'c'.repeat(200)], timestamps, compression }))
    }
    const find = (afterMillis: number) => log.findTimestamp(1_700_000_000_000 + afterMillis, log.logEndOffset)
    expect(find(0)).toEqual({ offset: 0, timestampMillis: 1_700_000_000_000 })
    expect(find(4501)).toEqual({ offset: 451, timestampMillis: 1_700_000_004_510 })
    expect(find(8990)).toEqual({ offset: 899, timestampMillis: 1_700_000_008_990 })
    expect(find(8991)).toBeUndefined()
  }
})

test('deleted records stay deleted after a restart and their files go', async () => {
  const directory = temporaryDirectory()
  const log = openLog(directory, { segmentBytes: 1000 })
  await append(log, 20)
  log.deleteRecordsBefore(25)
  expect(log.logStartOffset).toBe(25)
  expect(existsSync(join(directory, '00000000000000000000.log'))).toBe(false)
  const reopened = openLog(directory)
  expect(reopened.logStartOffset).toBe(25)
  expect(baseOffsets(reopened.read(25, 40, 1, true).records)).toEqual([24])
})

test('retention by time empties an old log, and no offset is given twice', async () => {
  const directory = temporaryDirectory()
  const log = openLog(directory, { retentionMillis: 60_000 })
  await append(log, 5)
  log.applyRetention(1_700_000_000_000 + 30_000)
  expect(log.logStartOffset).toBe(0)
  log.applyRetention(1_700_000_000_000 + 60_001)
  expect(log).toMatchObject({ logStartOffset: 10, logEndOffset: 10, sizeBytes: 0 })
  const reopened = openLog(directory)
  await append(reopened, 1)
  expect(reopened).toMatchObject({ logStartOffset: 10, logEndOffset: 12 })
})

test('retention by size drops the oldest segments only', async () => {
  const log = openLog(temporaryDirectory(), { segmentBytes: 1000, retentionBytes: 3000 })
  await append(log, 40)
  log.applyRetention(Date.now())
  expect(log.sizeBytes).toBeGreaterThanOrEqual(3000)
  expect(log.sizeBytes).toBeLessThan(4000)
  expect(readAll(log)[0]).toBe(log.logStartOffset)
})

test('an index that is newer than the checkpoint does not hide producers from a start', async () => {
  const directory = temporaryDirectory()
  const log = openLog(directory)
  const batch = () => recordBatch({ values: ['a'], producerId: 7, firstSequence: 0 })
  log.append(await batch())
  log.close()
  rmSync(join(directory, 'checkpoint.json'))
  const reopened = openLog(directory)
  expect(reopened.append(await batch()).baseOffset).toBe(0)
  expect(reopened.logEndOffset).toBe(1)
})
