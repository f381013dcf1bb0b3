/** Partitions of both topics. */
export const partitionCount = 3
/** Records outside and inside transactions. */
export const topics = { plain: 'kill-plain', transactional: 'kill-transactional' }

/** The value of the record with a serial number: whoever sees it can tell whether it is whole. */
export const recordValue = (serial) =>
  `${serial}:${`${serial * 2_654_435_761}.`.repeat(1 + (serial % 11)).padEnd(serial % 400, 'x')}`

/** The serial number of a value that is exactly one that was sent; throws for any other. */
export const recordSerial = (value) => {
  const text = value.toString()
  const serial = Number(text.slice(0, text.indexOf(':')))
  if (recordValue(serial) !== text) throw new Error(`a value that was never sent: ${text.slice(0, 80)}`)
  return serial
}

/** What was sent to the broker, and what of it was acknowledged. */
export class KafkaLedger {
  #nextSerial = 0
  /** By topic and partition: serial by acknowledged offset. */
  #acknowledged = new Map()
  acknowledgedCount = 0
  /** `{ id, group, serials, state }`, state one of open, committing, committed, aborted. */
  transactions = []
  /** By group, by partition: the last acknowledged offset and the last one asked for. */
  groupOffsets = new Map()

  get nextSerial() {
    return this.#nextSerial
  }

  serials(count) {
    const first = this.#nextSerial
    this.#nextSerial += count
    return Array.from({ length: count }, (_, index) => first + index)
  }

  acknowledgedIn(topic, partition) {
    const key = `${topic}-${partition}`
    const found = this.#acknowledged.get(key) ?? new Map()
    this.#acknowledged.set(key, found)
    return found
  }

  acknowledge(topic, partition, baseOffset, serials) {
    const offsets = this.acknowledgedIn(topic, partition)
    for (const [index, serial] of serials.entries()) offsets.set(Number(baseOffset) + index, serial)
    this.acknowledgedCount += serials.length
  }

  groupPartition(group, partition) {
    const partitions = this.groupOffsets.get(group) ?? new Map()
    this.groupOffsets.set(group, partitions)
    const found = partitions.get(partition) ?? { acknowledged: -1, asked: -1 }
    partitions.set(partition, found)
    return found
  }
}
