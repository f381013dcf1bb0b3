import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import { describe, expect, it } from 'vitest'
import { createSink } from '../src/sink.ts'
import type { GroupCommit } from '../src/sink-options.ts'
import { consume, FakeLog } from './sink/fake-log.ts'
import { settle } from './sink/manual-runtime.ts'
import { MemoryObjectStore } from './sink/memory-object-store.ts'
import { expectedLines, lake, publishedLines, sinkUnderTest, ticks, ticksTopic } from './sink/sink-fixture.ts'

const commitsOf = (options: Parameters<typeof sinkUnderTest>[0] = {}) => {
  const commits: GroupCommit[] = []
  return { commits, ...sinkUnderTest({ ...options, onCommit: (commit) => commits.push(commit) }) }
}

describe('rotation', () => {
  it('cuts a group by rows, by bytes, by age, by a flush and at the end', async () => {
    const test = commitsOf({ rotation: { rows: 10, bytes: 200, ageMillis: 60_000 } })
    const log = new FakeLog().appendMany(10)
    await consume(test.sink, [log], 10)
    await settle()
    log.append(`a${'x'.repeat(300)}`)
    await test.sink.write(log.block(10n))
    await settle()
    log.appendMany(1)
    await test.sink.write(log.block(11n))
    await test.runtime.advance(59_999)
    expect(test.commits.length).toBe(2)
    await test.runtime.advance(1)
    log.appendMany(1)
    await test.sink.write(log.block(12n))
    await test.sink.flush()
    log.appendMany(1)
    await test.sink.write(log.block(13n))
    await test.sink.close()
    expect(test.commits.map(({ cutBy, start, next }) => [cutBy, start, next])).toEqual([
      ['rows', 0n, 10n],
      ['bytes', 10n, 11n],
      ['age', 11n, 12n],
      ['flush', 12n, 13n],
      ['close', 13n, 14n],
    ])
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })

  it('costs one journal put a group and 2 + parts a file, beside the marker', async () => {
    const test = commitsOf({ rotation: { rows: 6 } })
    await consume(test.sink, [new FakeLog().appendMany(18, 'abc')], 6)
    await test.sink.close()
    const parts = test.store.count('uploadPart')
    const files = test.commits.reduce((sum, commit) => sum + commit.files.length, 0)
    expect(test.store.count('putIfAbsent', 'groups')).toBe(test.commits.length + 1)
    expect(test.store.count('createUpload')).toBe(files)
    expect(test.store.count('completeUpload')).toBe(files)
    const opening = 5
    expect(test.store.calls.length).toBe(opening + test.commits.length + 1 + 2 * files + parts)
  })

  it('takes the next blocks while a group is claimed and published, and none while it is staged', async () => {
    const test = commitsOf({ rotation: { rows: 4 } })
    let claimed = () => {}
    test.store.intercept = (call, apply) => {
      if (call.operation !== 'putIfAbsent' || !call.key.includes('groups')) return apply()
      return new Promise((resolve) => {
        claimed = () => resolve(apply())
      })
    }
    const log = new FakeLog().appendMany(12)
    await test.sink.assign([log.assigned], { generation: 1 })
    await test.sink.write(log.block(0n, 4))
    await test.sink.write(log.block(4n, 2))
    await test.sink.write(log.block(6n, 2))
    let third = false
    const waiting = test.sink.write(log.block(8n, 2)).then(() => {
      third = true
    })
    await settle()
    expect([third, test.engine.heldRows(log)]).toEqual([false, 4])
    claimed()
    await waiting
    await settle()
    claimed()
    await settle()
    expect(test.commits.map(({ start }) => start)).toEqual([0n, 4n])
  }, 2_000)

  it('takes blocks again after a flush that was asked for while the same rows were staged', async () => {
    const test = commitsOf({ rotation: { rows: 4 } })
    const log = new FakeLog().appendMany(4)
    const held: (() => void)[] = []
    test.store.intercept = (call, apply) =>
      call.operation === 'uploadPart' ? new Promise((resolve) => held.push(() => resolve(apply()))) : apply()
    await consume(test.sink, [log])
    await settle()
    const flushed = test.sink.flush()
    log.appendMany(2)
    const written = test.sink.write(log.block(4n))
    test.store.intercept = (_, apply) => apply()
    for (const go of held) go()
    await flushed
    await written
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  }, 2_000)

  it('bounds what is buffered over all partitions: the largest group is cut and full and room are told', async () => {
    const test = commitsOf({ memory: 300 })
    const logs = [new FakeLog(0).appendMany(40), new FakeLog(1).appendMany(6)]
    await consume(test.sink, logs, 5)
    expect(test.commits.map(({ log, cutBy }) => [log.partition, cutBy])).toContainEqual([0, 'memory'])
    expect(test.events.full.length).toBeGreaterThan(0)
    expect(test.events.room.length).toBe(test.events.full.length)
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(...logs))
  })
})

describe('records', () => {
  it('below the position are dropped, and holes inside it are noted', async () => {
    const test = commitsOf()
    const log = new FakeLog().appendMany(3).skip(2).appendMany(2).skip(1)
    await consume(test.sink, [log])
    await test.sink.write(log.block(1n))
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
    const [key] = test.bucket.keys('groups').filter((one) => one.endsWith('.json'))
    expect(JSON.parse(test.bucket.text(key!)!)).toMatchObject({
      start: '0',
      next: '8',
      counts: { records: 5, rows: 5 },
      holes: {
        offsets: '3',
        ranges: [
          { from: '3', to: '5' },
          { from: '7', to: '8' },
        ],
        truncated: false,
      },
      lastRecord: { offset: '6' },
    })
    expect(test.commits[0]).toMatchObject({ records: 5, holes: 3n })
  })

  it('of a log that moves on without any are a group without files', async () => {
    const test = commitsOf()
    const log = new FakeLog().appendMany(2)
    await consume(test.sink, [log])
    await test.sink.flush()
    await test.sink.write(log.skip(3).block(2n))
    await test.sink.close()
    expect(test.commits.map(({ start, next, files }) => [start, next, files.length])).toEqual([
      [0n, 2n, 2],
      [2n, 5n, 0],
    ])
    const next = sinkUnderTest({ bucket: test.bucket })
    expect((await next.sink.assign([log.assigned], { generation: 1 }))[0]!.offset).toBe(1n)
  })

  it('that jump beyond the position are refused: nothing is skipped in silence', async () => {
    const test = commitsOf()
    const log = new FakeLog().appendMany(9)
    await test.sink.assign([log.assigned], { generation: 1 })
    await expect(test.sink.write(log.block(2n))).rejects.toMatchObject({
      name: 'LostPositionError',
      code: 'OFFSET_JUMP',
    })
    expect(test.events.failed.length).toBe(1)
  })

  it('that are rejected stop their partition log before anything of the group is claimed, where that is asked for', async () => {
    const test = commitsOf({ deadLetters: { onRejected: 'stop' } })
    const [bad, good] = [
      new FakeLog(0).appendMany(3).append('bad#price').appendMany(2),
      new FakeLog(1).appendMany(4),
    ]
    await test.sink.assign([bad.assigned, good.assigned], { generation: 1 })
    await test.sink.write(good.block(0n))
    const rejected = {
      name: 'SchemaMismatchError',
      code: 'RECORD_REJECTED',
      message: expect.stringContaining('ticks-0, offset 3, column price: bad#price is no price'),
      facts: { topic: 'ticks', partition: 0, offset: 3n, column: 'price' },
    }
    await expect(test.sink.write(bad.block(0n))).rejects.toMatchObject(rejected)
    expect(test.events.failed).toEqual([
      [{ topic: 'ticks', partition: 0 }, expect.objectContaining({ code: 'RECORD_REJECTED' })],
    ])
    await expect(test.sink.flush()).rejects.toMatchObject(rejected)
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(good))
    expect(test.bucket.keys('groups/ticks/0')).toEqual([])
  })

  it('written to several partitions come out by partition, whatever the order', async () => {
    const test = commitsOf({ rotation: { rows: 7 } })
    const logs = [0, 1, 2, 3].map((partition) => new FakeLog(partition).appendMany(30 + partition, 'abcd'))
    await consume(test.sink, logs, 4)
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(...logs))
    const reached = new Map(test.events.committable.map(([{ partition, offset }]) => [partition, offset]))
    expect([...reached].sort()).toEqual([
      [0, 30n],
      [1, 31n],
      [2, 32n],
      [3, 33n],
    ])
  })
})

describe('the end of an assignment', () => {
  it('publishes what is buffered when it drains, and gives it up when it does not', async () => {
    const test = commitsOf()
    const logs = [new FakeLog(0).appendMany(4), new FakeLog(1).appendMany(4)]
    await consume(test.sink, logs)
    await test.sink.revoke([logs[0]!], { drain: true })
    await test.sink.revoke([logs[1]!], { drain: false })
    expect(publishedLines(test.bucket)).toEqual(expectedLines(logs[0]!))
    expect(test.commits.map(({ cutBy }) => cutBy)).toEqual(['revoke'])
    // In a worker it is done soon.
    await expect.poll(() => test.engine.heldRows(logs[1]!)).toBe(0)
    await expect(test.sink.write(logs[0]!.block(4n))).rejects.toMatchObject({
      code: 'PARTITION_NOT_ASSIGNED',
    })
  })

  it('does not wait beyond the deadline', async () => {
    const test = commitsOf()
    test.store.intercept = (call, apply) =>
      call.operation === 'uploadPart' ? new Promise(() => {}) : apply()
    const log = new FakeLog().appendMany(4)
    await consume(test.sink, [log])
    const revoked = test.sink.revoke([log], { drain: true, deadline: test.runtime.monotonic() + 4_000 })
    await settle()
    await test.runtime.advance(4_000)
    await revoked
    expect(test.events.failed).toEqual([])
    expect(test.bucket.uploads.size).toBe(0)
  })

  it('comes once: close joins a close under way, frees the engine, and refuses what comes after', async () => {
    const test = commitsOf()
    const log = new FakeLog().appendMany(4)
    await consume(test.sink, [log])
    const first = test.sink.close()
    expect(test.sink.close()).toBe(first)
    await first
    await test.sink[Symbol.asyncDispose]()
    await expect.poll(() => test.engine.closed).toBe(true)
    await expect(test.sink.write(log.block(4n))).rejects.toMatchObject({ code: 'PARTITION_NOT_ASSIGNED' })
    await expect(test.sink.assign([log.assigned], { generation: 2 })).rejects.toMatchObject({
      code: 'SINK_CLOSED',
    })
  })

  it('that cannot publish is told by close, after everything was freed', async () => {
    const test = commitsOf({ registrar: { register: () => Promise.reject(new Error('no catalog')) } })
    await consume(test.sink, [new FakeLog().appendMany(4)])
    await expect(test.sink.close()).rejects.toThrow('no catalog')
    await expect.poll(() => test.engine.closed).toBe(true)
  })

  it('can be followed by a new assignment, which reads on where the chain ends', async () => {
    const test = commitsOf()
    const log = new FakeLog().appendMany(4)
    for (let round = 0; round < 4; round += 1) {
      await consume(test.sink, [log])
      await test.sink.revoke([log], { drain: round % 2 === 0 })
      log.appendMany(3)
    }
    await consume(test.sink, [log])
    await test.sink.close()
    expect(publishedLines(test.bucket)).toEqual(expectedLines(log))
  })
})

describe('two owners at once', () => {
  it.each([1, 2, 3, 4, 5, 6])('win each start once between them (run %i)', async (seed) => {
    const memory = new MemoryObjectStore()
    const owners = [seed, seed + 100].map((_, index) =>
      sinkUnderTest({ bucket: memory.bucket, rotation: { rows: 3 + index } }),
    )
    let turn = seed
    for (const { store } of owners) {
      store.intercept = async (_, apply) => {
        turn = (Math.imul(turn, 1664525) + 1013904223) >>> 0
        for (let wait = turn >>> 29; wait > 0; wait -= 1)
          await new Promise((resolve) => setImmediate(resolve))
        return apply()
      }
    }
    const log = new FakeLog().appendMany(40, 'abc')
    const run = async ({ sink }: (typeof owners)[number]) => {
      for (;;) {
        try {
          await consume(sink, [log], 2)
          await sink.flush()
          return await sink.close()
        } catch (error) {
          expect((error as Error).name).toBe('FencedError')
        }
      }
    }
    await Promise.all(owners.map(run))
    expect(publishedLines(memory.bucket)).toEqual(expectedLines(log))
    expect(owners.some(({ events }) => events.fenced.length > 0)).toBe(true)
    expect(memory.bucket.uploads.size).toBe(0)
  })
})

describe('a sink', () => {
  it('refuses a store that ignores If-None-Match, and probes it once a start', async () => {
    const test = commitsOf()
    test.store.intercept = (call, apply) => {
      if (call.key.endsWith('/probe')) return 'created'
      return apply()
    }
    const log = new FakeLog().appendMany(4)
    await expect(test.sink.assign([log.assigned], { generation: 1 })).rejects.toMatchObject({
      name: 'ConfigurationError',
      code: 'CONDITIONAL_PUT_IGNORED',
    })
    test.store.intercept = (_, apply) => apply()
    const probes = test.store.count('putIfAbsent', 'probe')
    await test.sink.assign([log.assigned], { generation: 1 })
    await test.sink.assign([new FakeLog(1).assigned], { generation: 2 })
    expect(test.store.count('putIfAbsent', 'probe')).toBe(probes + 2)
  })

  it('whose assignment fails keeps none of its logs open, those that wait for their turn neither', async () => {
    const test = sinkUnderTest({
      cleaner: false,
      topic: defineTopic('ticks', { table: ticksTopic.table, partitions: 64 }),
    })
    const logs = Array.from({ length: 40 }, (_, partition) => new FakeLog(partition).appendMany(2))
    test.store.intercept = (call, apply) => {
      if (call.operation === 'list' && call.key.includes('/ticks/3/')) throw new Error('no listing')
      return apply()
    }
    const assigned = logs.map((log) => log.assigned)
    await expect(test.sink.assign(assigned, { generation: 1 })).rejects.toThrow('no listing')
    const calls = test.store.calls.length
    await settle()
    expect(test.store.calls.length).toBe(calls)
    const taken = await Promise.allSettled(logs.map((log) => test.sink.write(log.block(0n))))
    expect(taken.filter(({ status }) => status === 'fulfilled')).toEqual([])
    test.store.intercept = (_, apply) => apply()
    expect(await test.sink.assign(assigned, { generation: 2 })).toHaveLength(40)
    await test.sink.close()
  })

  it.each([
    [{ journal: 's3://lake/ticks/journal' }, 'JOURNAL_INSIDE_TABLE'],
    [{ journal: 'lake/journal' }, 'JOURNAL_LOCATION_INVALID'],
    [{ journal: 's3://other/journal' }, 'SINK_STORE_MISSING'],
    [{ name: '../x' }, 'SINK_NAME_INVALID'],
    [{ writer: 'zoë' }, 'WRITER_NAME_INVALID'],
    [{ rotation: { rows: 0 } }, 'SINK_OPTION_INVALID'],
    [{ cutsAtOnce: 0 }, 'SINK_OPTION_INVALID'],
    [{ cutsAtOnce: Number.NaN }, 'SINK_OPTION_INVALID'],
    [{ uploadsAtOnce: 1.5 }, 'SINK_OPTION_INVALID'],
    [{ uploadsAtOnce: -1 }, 'SINK_OPTION_INVALID'],
    [
      { table: ticks.at({ database: 'market', location: `s3://lake/${'deep/'.repeat(180)}` }) },
      'LOCATION_TOO_LONG',
    ],
  ] as const)('refuses options that cannot be met: %#', (change, code) => {
    const options = { name: 'market', topic: ticksTopic, table: lake, store: new MemoryObjectStore() }
    expect(() => createSink({ ...options, ...change })).toThrow(expect.objectContaining({ code }))
  })

  it("refuses a table that is not the topic's, and another topic's blocks", async () => {
    const other = defineTable('other', {
      columns: { symbol: t.string() },
      partitions: { s: identity('symbol') },
    })
    const topic = defineTopic('other', { table: other })
    expect(() => createSink({ name: 'x', topic, table: lake, store: new MemoryObjectStore() })).toThrow(
      expect.objectContaining({ code: 'SINK_TABLE_MISMATCH' }),
    )
    const test = commitsOf()
    await expect(test.sink.write(new FakeLog(0, 'other').append('a').block(0n))).rejects.toMatchObject({
      code: 'TOPIC_MISMATCH',
    })
  })

  it('goes on when a listener throws', async () => {
    const test = commitsOf()
    test.sink.on('committable', () => {
      throw new Error('the listener')
    })
    await consume(test.sink, [new FakeLog().appendMany(4)])
    await test.sink.close()
    expect(test.warnings).toEqual([expect.stringContaining('the listener of committable threw')])
  })
})
