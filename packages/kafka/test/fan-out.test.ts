import { packedAt, type RecordBlock, RecordBlockBuilder } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { copyOfBlock } from '../src/block-copy.ts'
import { fanOut } from '../src/index.ts'
import { MemorySink } from './memory-sink.ts'

const block = (from: number, to: number, partition = 0): RecordBlock => {
  const builder = new RecordBlockBuilder({ topic: 'topic', partition, firstOffset: BigInt(from) })
  for (let offset = from; offset < to; offset++) {
    const value = Buffer.from(String(offset))
    builder.add({
      offset: BigInt(offset),
      timestampMillis: offset,
      key: Buffer.from('k'),
      value,
      headers: { h: 'v' },
    })
  }
  return builder.finish(BigInt(to))
}
const partition = { topic: 'topic', partition: 0, logStart: 0n, logEnd: 1000n }
const three = () => {
  const sinks = [new MemorySink(), new MemorySink(), new MemorySink()] as const
  for (const sink of sinks) sink.mayOverlap = true
  const events: string[] = []
  const fanned = fanOut(sinks)
  fanned.on('full', () => events.push('full'))
  fanned.on('room', () => events.push('room'))
  fanned.on('committable', ({ partition, offset }) => events.push(`${partition}:${offset}`))
  fanned.on('fenced', ({ partition }, error) => events.push(`fenced ${partition} ${error.message}`))
  fanned.on('failed', ({ partition }, error) => events.push(`failed ${partition} ${error.message}`))
  return { sinks, fanned, events }
}
const offsetsOf = (sink: MemorySink): number[] =>
  (sink.buffered.get('topic/0') ?? []).map(({ offset }) => Number(offset))

describe('fanOut', () => {
  it('reads from where the sink furthest behind stands, and each takes what it does not have', async () => {
    const { sinks, fanned } = three()
    sinks[0].journal.next.set('topic/0', 7n)
    sinks[1].journal.next.set('topic/0', 3n)
    sinks[2].journal.next.set('topic/0', 5n)
    expect(await fanned.assign([partition], { generation: 1 })).toEqual([
      { topic: 'topic', partition: 0, offset: 3n },
    ])
    await fanned.write(block(3, 5))
    expect(sinks.map(offsetsOf)).toEqual([[], [3, 4], []])
    await fanned.write(block(5, 8))
    expect(sinks.map(offsetsOf)).toEqual([[7], [3, 4, 5, 6, 7], [5, 6, 7]])
    expect(sinks.flatMap(({ violations }) => violations)).toEqual([])
  })

  it('gives each sink buffers of its own, which it may transfer', async () => {
    const { sinks, fanned } = three()
    const taken: RecordBlock[] = []
    for (const sink of sinks) {
      const write = sink.write.bind(sink)
      sink.write = async (own) => {
        await write(own)
        taken.push(own)
        const { values, keys, headers, timestamps, offsetDeltas } = own
        const packed = [values, keys, headers!].flatMap(({ bytes, starts, lengths }) => [
          bytes,
          starts,
          lengths,
        ])
        structuredClone(own, {
          transfer: [...packed, timestamps, offsetDeltas].map(({ buffer }) => buffer as ArrayBuffer),
        })
      }
    }
    await fanned.assign([partition], { generation: 1 })
    await fanned.write(block(0, 3))
    expect(taken.map(({ timestamps }) => timestamps.length)).toEqual([0, 0, 0])
    for (const sink of sinks) {
      expect(sink.buffered.get('topic/0')!.map(({ value }) => value)).toEqual(['0', '1', '2'])
    }
  })

  it('copies also what is a Buffer, whose slices share its memory', () => {
    const original = block(0, 2)
    const bytes = Buffer.from(original.values.bytes)
    const copy = copyOfBlock({ ...original, values: { ...original.values, bytes } })
    bytes.fill(0)
    expect([0, 1].map((index) => Buffer.from(packedAt(copy.values, index)!).toString())).toEqual(['0', '1'])
  })

  it('is full while one of them is', async () => {
    const { sinks, events } = three()
    sinks[0].emit('full')
    sinks[1].emit('full')
    sinks[1].emit('full')
    sinks[0].emit('room')
    sinks[2].emit('room')
    expect(events).toEqual(['full'])
    sinks[1].emit('room')
    expect(events).toEqual(['full', 'room'])
  })

  it('resolves a write once there is room in every sink', async () => {
    const { sinks, fanned } = three()
    let room = () => {}
    sinks[1].beforeRoom = () => new Promise((resolve) => (room = resolve))
    await fanned.assign([partition], { generation: 1 })
    let written = false
    const writing = fanned.write(block(0, 3)).then(() => (written = true))
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(written).toBe(false)
    room()
    await writing
    expect(sinks.map(offsetsOf)).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ])
  })

  it('tells what every sink has published, and nothing before', async () => {
    const { sinks, fanned, events } = three()
    sinks[1].journal.next.set('topic/0', 2n)
    await fanned.assign([partition], { generation: 1 })
    const publish = (index: 0 | 1 | 2, offset: bigint) =>
      sinks[index].emit('committable', { topic: 'topic', partition: 0, offset })
    await fanned.write(block(0, 9))
    publish(0, 5n)
    publish(1, 9n)
    expect(events).toEqual([])
    publish(2, 4n)
    publish(2, 9n)
    publish(0, 5n)
    publish(0, 9n)
    expect(events).toEqual(['0:4', '0:5', '0:9'])
    publish(0, 9n)
    sinks[0].emit('committable', { topic: 'topic', partition: 1, offset: 5n })
    expect(events).toHaveLength(3)
  })

  it('tells what sinks say while they are being assigned once all of them have answered', async () => {
    const { sinks, fanned, events } = three()
    for (const [index, sink] of sinks.entries()) {
      const offset = BigInt(12 - index)
      sink.journal.next.set('topic/0', offset)
      // The last has nothing to say: the group's offset is behind the others only.
      if (index < 2) {
        sink.beforeAssign = async () => sink.emit('committable', { topic: 'topic', partition: 0, offset })
      }
    }
    await fanned.assign([partition], { generation: 1 })
    expect(events).toEqual(['0:10'])
  })

  it('commits by all of them what a drain publishes, and forgets the partition', async () => {
    const { sinks, fanned, events } = three()
    await fanned.assign([partition], { generation: 1 })
    await fanned.write(block(0, 4))
    await fanned.revoke([partition], { drain: true })
    expect(events).toEqual(['0:4'])
    expect(sinks.map(({ journal }) => journal.next.get('topic/0'))).toEqual([4n, 4n, 4n])
    await expect(fanned.write(block(4, 5))).rejects.toMatchObject({ code: 'PARTITION_NOT_ASSIGNED' })
  })

  it('passes on what one of them is fenced or fails by, and rejects a write with it', async () => {
    const { sinks, fanned, events } = three()
    await fanned.assign([partition], { generation: 1 })
    sinks[1].emit('fenced', partition, new Error('late'))
    sinks[2].emit('failed', partition, new Error('fire'))
    expect(events).toEqual(['fenced 0 late', 'failed 0 fire'])
    sinks[0].beforeRoom = () => new Promise(() => {})
    sinks[1].beforeRoom = () => Promise.reject(new Error('no room ever'))
    await expect(fanned.write(block(0, 1))).rejects.toThrow('no room ever')
  })

  it('gives back what the others took when one of them cannot be assigned', async () => {
    const { sinks, fanned } = three()
    sinks[1].beforeAssign = () => Promise.reject(new Error('journal unreadable'))
    await expect(fanned.assign([partition], { generation: 1 })).rejects.toThrow('unreadable')
    expect(sinks.map(({ assigned }) => assigned.size)).toEqual([0, 0, 0])
    sinks[1].beforeAssign = async () => {}
    await fanned.assign([partition], { generation: 2 })
    await fanned.write(block(0, 1))
    expect(sinks.flatMap(({ violations }) => violations)).toEqual([])
  })

  it('asks all of them to flush, revoke and close, and then throws what the first failed by', async () => {
    const { sinks, fanned } = three()
    await fanned.assign([partition], { generation: 1 })
    sinks[0].beforeDrain = () => Promise.reject(new Error('disk full'))
    await expect(fanned.revoke([partition], { drain: true })).rejects.toThrow('disk full')
    await fanned.flush()
    sinks[1].close = () => Promise.reject(new Error('cannot close'))
    await expect(fanned.close()).rejects.toThrow('cannot close')
    expect(sinks[2].calls).toEqual(['assign topic/0', 'revoke topic/0 drain', 'flush', 'close'])
    expect(sinks.map(({ listeners }) => listeners)).toEqual([0, 0, 0])
  })

  it('refuses no sink, and one sink twice', () => {
    const sink = new MemorySink()
    expect(() => fanOut([])).toThrow(expect.objectContaining({ code: 'SINKS_INVALID' }))
    expect(() => fanOut([sink, sink])).toThrow(expect.objectContaining({ code: 'SINKS_INVALID' }))
  })
})
