import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { decodeHeaders, packedAt, type RecordBlock, recordOffset } from '@stockpipe/core'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startLane } from '../../conformance/test/lane.ts'
import { createRecordReader } from '../src/index.ts'

interface RealKafka {
  readonly brokers: string[]
  readonly classPath: string
}

// Started before the cases are collected: a lane that cannot run here says so in the name of a skipped suite.
const lane = await startLane<RealKafka>('kafka', (line) => (line as { kafka: RealKafka }).kafka, [
  'group.initial.rebalance.delay.ms=0',
])

const text = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString()

const recordsOf = (blocks: readonly RecordBlock[]) =>
  blocks.flatMap((block) =>
    Array.from({ length: block.count }, (_, index) => {
      const headers = block.headers && packedAt(block.headers, index)
      return {
        offset: Number(recordOffset(block, index)),
        timestamp: block.timestamps[index]!,
        key: text(packedAt(block.keys, index)),
        value: text(packedAt(block.values, index)),
        headers: headers ? decodeHeaders(headers).map(([name, value]) => [name, text(value)]) : [],
      }
    }),
  )

if ('skipped' in lane) {
  describe.skip('Record batches by Apache Kafka', () => {
    it(lane.skipped, () => undefined)
  })
} else {
  const warnings: string[] = []
  const kafka = new Kafka({
    brokers: lane.brokers,
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      if (entry.log.message.startsWith('stockpipe')) warnings.push(entry.log.message)
    },
  })

  const read = async (topic: string, recordBatches: 'raw' | 'messages' = 'raw') => {
    const admin = kafka.admin()
    await admin.connect()
    const [log] = await admin.fetchTopicOffsets(topic)
    await admin.disconnect()
    const blocks: RecordBlock[] = []
    const reader = createRecordReader({ kafka, recordBatches })
    for await (const block of reader.read({ topic, partition: 0 }, 0n, BigInt(log!.high))) blocks.push(block)
    expect(blocks.at(-1)!.nextOffset).toBe(BigInt(log!.high))
    return recordsOf(blocks)
  }

  describe('Record batches by Apache Kafka', () => {
    beforeAll(async () => {
      const program = fileURLToPath(new URL('../../../lanes/kafka/WriteBatches.java', import.meta.url))
      await promisify(execFile)('java', ['-Xmx256m', '-cp', lane.classPath, program, lane.brokers.join(',')])
    })
    afterAll(() => lane[Symbol.asyncDispose]())

    it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
      'that its own client has written with compression %s are read as they were written',
      async (codec) => {
        const records = await read(`codec-${codec}`)
        const began = records[0]!.timestamp
        expect(records).toEqual(
          Array.from({ length: 3000 }, (_, index) => ({
            offset: index,
            timestamp: began + index,
            key: index % 3 === 0 ? null : `S${index % 7}`,
            value: index % 50 === 0 ? null : `{"id":${index},"text":"${'ab'.repeat(index % 40)}"}`,
            headers: index % 10 === 0 ? [['source', `java ${index}`]] : [],
          })),
        )
        // kafkajs has no snappy and lz4.
        if (['none', 'gzip', 'zstd'].includes(codec)) {
          expect(await read(`codec-${codec}`, 'messages')).toEqual(records)
        }
        expect(warnings).toEqual([])
      },
    )

    it('of transactions that were aborted side by side are left out', async () => {
      const values = (await read('transactions')).map(({ value }) => value)
      expect(values).toEqual(
        [0, 1, 2].flatMap((round) => [
          ...[0, 5, 10, 15].map((index) => `plain ${round} ${index}`),
          `committed ${round}`,
        ]),
      )
    })
  })
}
