import assert from 'node:assert/strict'
import { KafkaWire } from '../stack/kafka-wire.js'
import { decodeBatches } from '../stack/record-batch.js'
import { partitionCount, recordSerial, topics } from './kafka-ledger.js'

/** Every batch of a partition from its start, decoded, each right behind the one before. */
const readPartition = async (wire, topic, partition, isReadCommitted) => {
  const batches = []
  const aborted = []
  for (let offset = 0; ; ) {
    const answer = await wire.fetch(topic, partition, offset, isReadCommitted)
    const where = `${topic}-${partition}`
    assert.equal(
      answer.lastStableOffset,
      answer.highWatermark,
      `${where}: a transaction is still open after the restart`,
    )
    if (offset >= answer.highWatermark) return { batches, aborted, endOffset: answer.highWatermark }
    const decoded = decodeBatches(answer.records)
    assert.ok(decoded.length > 0, `${where}: nothing is read at ${offset} below ${answer.highWatermark}`)
    aborted.push(...answer.abortedTransactions)
    for (const batch of decoded) {
      assert.equal(batch.baseOffset, offset, `${where}: a gap`)
      offset = batch.lastOffset + 1
      batches.push(batch)
    }
  }
}

/** Leaves out what the answers say is aborted, as every client does. */
const committedRecords = ({ batches, aborted }) => {
  const waiting = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  const producers = new Set()
  const records = []
  for (const batch of batches) {
    while (waiting.length > 0 && waiting[0].firstOffset <= batch.lastOffset) {
      producers.add(waiting.shift().producerId)
    }
    if (batch.isControl) {
      if (batch.records[0].key.readInt16BE(2) === 0) producers.delete(batch.producerId)
    } else if (!(batch.isTransactional && producers.has(batch.producerId))) {
      records.push(...batch.records)
    }
  }
  return records
}

/** Everything acknowledged stands where it was acknowledged, everything is one that was sent, nothing twice. */
const verifyRecords = (ledger, topic, partition, { batches, endOffset }, seen) => {
  const byOffset = new Map()
  for (const { isControl, records } of batches) {
    if (isControl) continue
    for (const { offset, key, value } of records) {
      const serial = recordSerial(value)
      assert.ok(serial < ledger.nextSerial, `${topic}-${partition}: serial ${serial} was never sent`)
      assert.equal(key.toString(), `k${serial}`)
      assert.ok(!seen.has(serial), `serial ${serial} is in ${topic} twice`)
      seen.add(serial)
      byOffset.set(offset, serial)
    }
  }
  for (const [offset, serial] of ledger.acknowledgedIn(topic, partition)) {
    assert.equal(
      byOffset.get(offset),
      serial,
      `LOST: the acknowledged record ${serial} at ${topic}-${partition}@${offset} (the log ends at ${endOffset})`,
    )
  }
}

/** All of a committed transaction is seen, nothing of another; one whose commit was not answered is settled here. */
const verifyTransactions = (ledger, visible) => {
  let expected = 0
  for (const transaction of ledger.transactions) {
    const { id, serials, state } = transaction
    const count = serials.filter((serial) => visible.has(serial)).length
    if (state === 'committed') assert.equal(count, serials.length, `LOST: committed transaction ${id}`)
    else if (state !== 'committing') assert.equal(count, 0, `${state} transaction ${id} is visible`)
    else assert.ok(count === 0 || count === serials.length, `transaction ${id} is visible in part`)
    if (state === 'committing') transaction.state = count === 0 ? 'aborted' : 'committed'
    expected += count
  }
  assert.equal(visible.size, expected, 'records of no transaction are visible')
}

/** The offset in a transaction is committed with its records or not at all. */
const verifyTransactionOffsets = async (ledger, wire) => {
  const groups = new Set(ledger.transactions.map(({ group }) => group))
  for (const group of groups) {
    const committed = ledger.transactions.filter(
      ({ group: own, state }) => own === group && state === 'committed',
    )
    const offsets = await wire.committedOffsets(group, topics.transactional, 1)
    assert.equal(offsets.get(0), committed.at(-1)?.id ?? -1, `the offset of ${group}`)
  }
}

const verifyGroups = async (ledger, wire) => {
  for (const [group, partitions] of ledger.groupOffsets) {
    const offsets = await wire.committedOffsets(group, topics.plain, partitionCount)
    for (const [partition, fact] of partitions) {
      const offset = offsets.get(partition)
      const isEither = offset === fact.acknowledged || offset === fact.asked
      assert.ok(
        isEither,
        `LOST: ${group} committed ${fact.acknowledged} of partition ${partition}, not ${offset}`,
      )
      fact.acknowledged = offset
      fact.asked = offset
    }
  }
}

/** Throws unless the broker holds everything acknowledged and shows nothing that is not whole. */
export const verifyKafka = async (port, ledger) => {
  const wire = new KafkaWire(port)
  try {
    const plain = new Set()
    const transactional = new Set()
    const visible = new Set()
    for (let partition = 0; partition < partitionCount; partition++) {
      const log = await readPartition(wire, topics.plain, partition, false)
      verifyRecords(ledger, topics.plain, partition, log, plain)
      const open = await readPartition(wire, topics.transactional, partition, false)
      verifyRecords(ledger, topics.transactional, partition, open, transactional)
      const committed = await readPartition(wire, topics.transactional, partition, true)
      for (const { value } of committedRecords(committed)) visible.add(recordSerial(value))
    }
    verifyTransactions(ledger, visible)
    await verifyTransactionOffsets(ledger, wire)
    await verifyGroups(ledger, wire)
    return { records: plain.size + transactional.size, committed: visible.size }
  } finally {
    wire.close()
  }
}
