import { connect } from 'node:net'
import { within } from './stack-process.js'

const answerBoundMillis = 30_000

/** Bytes of a message's fields: numbers as `[bits, value]`, texts, buffers, and lists of these. */
export const encode = (...fields) =>
  Buffer.concat(
    fields.map((field) => {
      if (Buffer.isBuffer(field)) return field
      if (typeof field === 'string') {
        const text = Buffer.from(field)
        return Buffer.concat([int(16, text.length), text])
      }
      return int(...field)
    }),
  )

export const int = (bits, value) => {
  const bytes = Buffer.alloc(bits / 8)
  if (bits === 64) bytes.writeBigInt64BE(BigInt(value))
  else bytes.writeIntBE(value, 0, bits / 8)
  return bytes
}

/** A request's frame, its length in front. */
export const requestFrame = ({ apiKey, apiVersion, correlationId, clientId = 'check', body }) => {
  const frame = encode([16, apiKey], [16, apiVersion], [32, correlationId], clientId, body)
  return Buffer.concat([int(32, frame.length), frame])
}

/** Reads the fields of an answer one after the other. */
export class AnswerReader {
  #bytes
  #position = 0

  constructor(bytes) {
    this.#bytes = bytes
  }

  int(bits) {
    const start = this.#position
    this.#position += bits / 8
    return bits === 64 ? Number(this.#bytes.readBigInt64BE(start)) : this.#bytes.readIntBE(start, bits / 8)
  }

  text() {
    const length = this.int(16)
    return length < 0 ? null : this.#take(length).toString()
  }

  bytes() {
    const length = this.int(32)
    return length < 0 ? Buffer.alloc(0) : this.#take(length)
  }

  list(readOne) {
    return Array.from({ length: Math.max(0, this.int(32)) }, () => readOne())
  }

  #take(length) {
    this.#position += length
    return this.#bytes.subarray(this.#position - length, this.#position)
  }
}

/** One connection that asks one thing at a time. */
export class KafkaWire {
  #socket
  #correlationId = 0

  constructor(port) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('error', () => undefined)
  }

  /** The body of the answer. Rejects when the connection ends first. */
  async request(apiKey, apiVersion, body) {
    const correlationId = ++this.#correlationId
    const socket = this.#socket
    const answer = new Promise((resolve, reject) => {
      const chunks = []
      let length = 0
      let expected
      const onData = (chunk) => {
        chunks.push(chunk)
        length += chunk.length
        if (expected === undefined && length >= 4) expected = Buffer.concat(chunks).readInt32BE(0) + 4
        if (expected === undefined || length < expected) return
        socket.off('data', onData)
        socket.off('close', onClose)
        const bytes = Buffer.concat(chunks)
        if (bytes.readInt32BE(4) !== correlationId) reject(new Error('an answer to another request'))
        else resolve(new AnswerReader(bytes.subarray(8)))
      }
      const onClose = () => reject(new Error(`the broker closed the connection on API ${apiKey}`))
      socket.on('data', onData)
      socket.on('close', onClose)
      if (socket.closed) onClose()
    })
    socket.write(requestFrame({ apiKey, apiVersion, correlationId, body }))
    return within(answer, answerBoundMillis, `an answer of API ${apiKey}`)
  }

  /** One Fetch v4 of one partition; an answer with an error throws. */
  async fetch(topic, partition, offset, isReadCommitted) {
    const answer = await this.request(
      1,
      4,
      encode(
        [32, -1],
        [32, 0],
        [32, 0],
        [32, 32 * 1024 * 1024],
        [8, isReadCommitted ? 1 : 0],
        [32, 1],
        topic,
        [32, 1],
        [32, partition],
        [64, offset],
        [32, 8 * 1024 * 1024],
      ),
    )
    answer.int(32)
    const [[found]] = answer.list(() => {
      answer.text()
      return answer.list(() => ({
        partition: answer.int(32),
        errorCode: answer.int(16),
        highWatermark: answer.int(64),
        lastStableOffset: answer.int(64),
        abortedTransactions: answer.list(() => ({
          producerId: answer.int(64),
          firstOffset: answer.int(64),
        })),
        records: answer.bytes(),
      }))
    })
    if (found.errorCode !== 0) {
      throw new Error(`a fetch of ${topic}-${partition} at ${offset} is answered ${found.errorCode}`)
    }
    return found
  }

  /** Offsets a group committed by partition, -1 where there is none (OffsetFetch v1). */
  async committedOffsets(group, topic, partitionCount) {
    const partitions = Array.from({ length: partitionCount }, (_, partition) => int(32, partition))
    const answer = await this.request(
      9,
      1,
      encode(group, [32, 1], topic, [32, partitionCount], Buffer.concat(partitions)),
    )
    const offsets = new Map()
    answer.list(() => {
      answer.text()
      answer.list(() => {
        const partition = answer.int(32)
        offsets.set(partition, answer.int(64))
        answer.text()
        const errorCode = answer.int(16)
        if (errorCode !== 0) throw new Error(`the offsets of ${group} are answered ${errorCode}`)
      })
    })
    return offsets
  }

  close() {
    this.#socket.destroy()
  }
}
