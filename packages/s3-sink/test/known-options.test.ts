import { describe, expect, it } from 'vitest'
import { createPushSink, createSink } from '../src/index.ts'
import { MemoryObjectStore } from './sink/memory-object-store.ts'
import { lake, ticksTopic } from './sink/sink-fixture.ts'

const needed = { name: 'market', topic: ticksTopic, table: lake, store: new MemoryObjectStore() }
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'SINK_OPTION_UNKNOWN', message: expect.stringMatching(message) })

describe('an option that nobody knows', () => {
  // Given in variables, as types do not tell of them there.
  it.each<[object, RegExp]>([
    [{ memroy: '64MiB' }, /Sink market: createSink has no option memroy\. Did you mean memory\?/],
    [{ uploads: 3 }, /no option uploads\. Did you mean uploadsAtOnce\?/],
    [{ maxBufferedBytes: 1 }, /no option maxBufferedBytes\. It has name, .*memory, /],
    [{ rotation: { row: 5 } }, /no option rotation\.row\. Did you mean rotation\.rows\?/],
    [{ rotation: { maxSize: 5 } }, /It has rotation\.rows, rotation\.bytes, /],
    [{ rotation: { eventTime: { interval: 'day', timezone: 'UTC' } } }, /rotation\.eventTime\.timeZone\?/],
    [{ deadLetters: { onReject: 'stop' } }, /Did you mean deadLetters\.onRejected\?/],
    [{ late: { allowed: 1, locaton: 's3://lake/late/' } }, /Did you mean late\.location\?/],
    [{ cleaner: { every: 1 } }, /Did you mean cleaner\.everyMillis\?/],
    [{ tostring: 1, constructor: 1 }, /no option (tostring|constructor)\./],
  ])('is refused by name, with the one that is near: %o', (options, message) => {
    expect(() => createSink({ ...needed, ...options })).toThrow(refusal(message))
  })

  it.each<[object, RegExp]>([
    [{ genesys: 0n }, /createPushSink has no option genesys\. Did you mean genesis\?/],
    [{ readAgain: { read: () => [] } }, /no option readAgain: it is createSink's/],
    [{ rotation: { ageMillis: 5 } }, /no option rotation\.ageMillis: it is createSink's/],
    [{ deadLetters: { publisher: { publish: async () => {} } } }, /no option deadLetters\.publisher: it is/],
  ])('is refused where records are pushed: %o', (options, message) => {
    expect(() => createPushSink({ ...needed, ...options })).toThrow(refusal(message))
  })

  it('may be there without a value', async () => {
    const options = { rotation: { rows: 5, maxRows: undefined }, former: undefined }
    await createSink({ ...needed, ...options }).close()
    const pushed = { deadLetters: { maxRejectedRatio: 1, publisher: undefined } }
    await createPushSink({ ...needed, ...pushed }).close()
  })
})
