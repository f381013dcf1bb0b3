import { createRequire } from 'node:module'
import { CompressionCodecs, CompressionTypes } from 'kafkajs'
import { expect } from 'vitest'
import { type KafkaCase, refusal } from './case-cluster.ts'
import { fetch, listOffset, produce, storedCodec } from './wire-api.ts'

const hourMillis = 3_600_000
/** Bytes before the first record of a batch. */
const batchHeaderBytes = 61
const require = createRequire(import.meta.url)
const crc32C = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number

/** Size of the one batch in a request of Produce v7: what stands before it has the same length, but for the topic's name. */
const recordBatchBytes = (request: Buffer, topic: string): number =>
  request.readInt32BE(22 + Buffer.byteLength(topic))

/** Writing: the answer, its limits, time stamps and compression. */
export const produceCases = (test: KafkaCase): void => {
  test('the answer names the base offset, no append time and the log start', async (cluster) => {
    const topic = await cluster.topic()
    await cluster.write(topic, ['a', 'b'])
    const producer = await cluster.producer()
    const [written] = await producer.send({ topic, messages: [{ value: 'c' }] })
    expect(written).toEqual({
      topicName: topic,
      partition: 0,
      errorCode: 0,
      baseOffset: '2',
      logAppendTime: '-1',
      logStartOffset: '0',
    })
  })

  test('keys, values, headers, empty values and tombstones come back as they were sent', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await cluster.producer()
    await producer.send({
      topic,
      messages: [
        { key: 'k', value: 'v', headers: { h: 'ü', many: ['1', '2'] } },
        { key: '', value: '' },
        { key: null, value: null },
      ],
    })
    const [first, second, third] = (await cluster.consume(topic, 3)).map(({ message }) => message)
    expect(String(first!.key)).toBe('k')
    expect(String(first!.value)).toBe('v')
    expect(String(first!.headers!.h)).toBe('ü')
    expect((first!.headers!.many as Buffer[]).map(String)).toEqual(['1', '2'])
    expect([second!.key?.length, second!.value?.length]).toEqual([0, 0])
    expect([third!.key, third!.value]).toEqual([null, null])
  })

  test('a gzip batch is stored as it came and read back', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await cluster.producer()
    const messages = Array.from({ length: 50 }, (_, index) => ({ value: `message ${index}` }))
    await producer.send({ topic, compression: CompressionTypes.GZIP, messages })
    expect(await cluster.readCommitted(topic)).toEqual(messages.map(({ value }) => value))
  })

  for (const [type, codec] of [
    ['producer', undefined],
    ['uncompressed', 0],
    ['gzip', 1],
  ] as const) {
    const kept = codec === undefined ? 'keeps batches as they come' : 'keeps every batch so, however it comes'
    test(`a topic with compression.type=${type} ${kept}`, async (cluster) => {
      const topic = await cluster.topic({ configs: { 'compression.type': type } })
      const wire = await cluster.wire()
      for (const [offset, compression] of [0, 1].entries()) {
        const value = `value ${offset} `.repeat(50)
        const answer = await produce(wire, { topic, compression, messages: [{ value }] })
        expect(answer).toMatchObject({ errorCode: 0, baseOffset: String(offset) })
        expect(await storedCodec(wire, topic, offset)).toBe(codec ?? compression)
        const { messages } = await fetch(wire, { topic, offset })
        expect(String(messages[0]!.value)).toBe(value)
      }
    })
  }

  for (const type of ['snappy', 'lz4', 'zstd']) {
    test(`a topic with compression.type=${type} takes what other codecs have made`, async (cluster) => {
      const configs = {
        'compression.type': type,
        'compression.zstd.level': '4',
        'compression.lz4.level': '3',
      }
      const topic = await cluster.topic({ configs })
      const wire = await cluster.wire()
      for (const compression of [0, 1]) {
        expect((await produce(wire, { topic, compression, messages: [{ value: 'a' }] })).errorCode).toBe(0)
      }
      expect(await listOffset(wire, topic, -1)).toMatchObject({ offset: '2' })
    })
  }

  test('a wrong time in the header of a batch is put right', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const messages = [{ value: 'a', timestamp: 1000 }, { value: 'b' }]
    // kafkajs takes the largest of the times that are given, and the clock for the others.
    expect((await produce(wire, { topic, messages })).errorCode).toBe(0)
    expect(await listOffset(wire, topic, 2000)).toMatchObject({ offset: '1' })
  })

  test('a record longer than its batch is INVALID_RECORD and not written', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const answer = await produce(wire, { topic, messages: [{ value: 'abc' }] }, (bytes) => {
      const batch = bytes.subarray(bytes.length - recordBatchBytes(bytes, topic))
      batch[batchHeaderBytes]! += 20
      batch.writeUInt32BE(crc32C(batch.subarray(21)), 17)
    })
    expect(answer).toMatchObject({ errorCode: 87, baseOffset: '-1' })
    expect(await listOffset(wire, topic, -1)).toMatchObject({ offset: '0' })
  })

  test('LogAppendTime: answer and consumer see the time of the broker', async (cluster) => {
    const topic = await cluster.topic({ configs: { 'message.timestamp.type': 'LogAppendTime' } })
    const producer = await cluster.producer()
    const before = Date.now() - 60_000
    const [written] = await producer.send({ topic, messages: [{ value: 'a', timestamp: '1000' }] })
    expect(Number(written!.logAppendTime)).toBeGreaterThan(before)
    const [received] = await cluster.consume(topic, 1)
    expect(received!.message.timestamp).toBe(written!.logAppendTime)
  })

  test('a time stamp two hours ahead is refused with INVALID_TIMESTAMP', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await cluster.producer()
    const timestamp = String(Date.now() + 2 * hourMillis)
    const error = await refusal(producer.send({ topic, messages: [{ value: 'a', timestamp }] }))
    expect(error).toMatchObject({ type: 'INVALID_TIMESTAMP', code: 32, retriable: false })
  })

  test('time stamps half an hour ahead and of 2023 are taken', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    for (const timestamp of [Date.now() + hourMillis / 2, 1_680_000_000_000]) {
      const answer = await produce(wire, { topic, messages: [{ value: 'a', timestamp }] })
      expect(answer.errorCode).toBe(0)
    }
  })

  test('one time stamp too late in a batch refuses all of it', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const messages = [
      { value: 'a', timestamp: Date.now() },
      { value: 'b', timestamp: Date.now() + 2 * hourMillis },
    ]
    expect((await produce(wire, { topic, messages })).errorCode).toBe(32)
    expect(await listOffset(wire, topic, -1)).toMatchObject({ offset: '0' })
  })

  test('a message just under 1 MiB is taken and one just above is MESSAGE_TOO_LARGE', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await cluster.producer()
    await producer.send({ topic, messages: [{ value: Buffer.alloc(1_048_576 - 100) }] })
    const tooLarge = [{ value: Buffer.alloc(1_048_576 + 100) }]
    const error = await refusal(producer.send({ topic, messages: tooLarge }))
    expect(error).toMatchObject({ type: 'MESSAGE_TOO_LARGE', code: 10, retriable: false })
  })

  test('1,200 messages of 1 kB in one batch are MESSAGE_TOO_LARGE, and none is written', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await cluster.producer()
    const messages = Array.from({ length: 1200 }, () => ({ value: Buffer.alloc(1000) }))
    expect(await refusal(producer.send({ topic, messages }))).toMatchObject({ type: 'MESSAGE_TOO_LARGE' })
    expect(await listOffset(await cluster.wire(), topic, -1)).toMatchObject({ offset: '0' })
  })

  test('acks of 1 are answered with the offset', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const answer = await produce(wire, { topic, acks: 1, messages: [{ value: 'a' }] })
    expect(answer).toMatchObject({ errorCode: 0, baseOffset: '0' })
  })

  test('acks of 0 are not answered and the record is written', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await cluster.producer()
    await producer.send({ topic, acks: 0, messages: [{ value: 'a' }] })
    await cluster.until(
      () => cluster.readCommitted(topic),
      (values) => values.length === 1,
    )
  })

  test('acks of 2 are INVALID_REQUIRED_ACKS', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    expect((await produce(wire, { topic, acks: 2, messages: [{ value: 'a' }] })).errorCode).toBe(21)
  })

  test('a partition that does not exist is UNKNOWN_TOPIC_OR_PARTITION', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const answer = await produce(wire, { topic, partition: 9, messages: [{ value: 'a' }] })
    expect(answer).toMatchObject({ errorCode: 3, baseOffset: '-1' })
  })

  test('a batch whose checksum does not fit is CORRUPT_MESSAGE and not written', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const answer = await produce(wire, { topic, messages: [{ value: 'abc' }] }, (bytes) => {
      bytes[bytes.length - 2]! ^= 1
    })
    expect(answer).toMatchObject({ errorCode: 2, baseOffset: '-1' })
    expect((await fetch(wire, { topic, offset: 0 })).highWatermark).toBe('0')
  })

  test('min.insync.replicas of 2 asks for no more replicas than the one there is', async (cluster) => {
    const topic = await cluster.topic({ configs: { 'min.insync.replicas': '2' } })
    const wire = await cluster.wire()
    expect((await produce(wire, { topic, messages: [{ value: 'a' }] })).errorCode).toBe(0)
  })

  test('an LZ4 frame of independent blocks is taken, one of dependent blocks is not', async (cluster) => {
    const topic = await cluster.topic()
    const wire = await cluster.wire()
    const write = async (blocks: 'independent' | 'dependent') => {
      const compress = async ({ buffer }: { buffer: Buffer }) => lz4Frame(buffer, blocks)
      CompressionCodecs[CompressionTypes.LZ4] = () => ({ compress })
      const compression = CompressionTypes.LZ4
      return await produce(wire, { topic, compression, messages: [{ value: 'a' }] })
    }
    expect((await write('independent')).errorCode).toBe(0)
    expect((await write('dependent')).errorCode).toBe(-1)
    expect(await listOffset(wire, topic, -1)).toMatchObject({ offset: '1' })
  })

  test('kafkajs resolves with nothing when a partition number is out of range', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await cluster.producer()
    expect(await producer.send({ topic, messages: [{ value: 'a', partition: 99 }] })).toEqual([])
  })
}

/** An LZ4 frame of one block that is stored as it is; both header checksums are of these flags only. */
const lz4Frame = (bytes: Buffer, blocks: 'independent' | 'dependent'): Buffer => {
  const header = blocks === 'independent' ? '04224d18604082' : '04224d184040c0'
  const size = Buffer.alloc(4)
  size.writeUInt32LE(0x80000000 + bytes.length)
  return Buffer.concat([Buffer.from(header, 'hex'), size, bytes, Buffer.alloc(4)])
}
