import type { RecordBlock } from '@stockpipe/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createPushSink, type PushSink } from '../src/index.ts'
import { FakeLog } from './sink/fake-log.ts'
import { LineEngine } from './sink/line-engine.ts'
import { ManualRuntime, settle } from './sink/manual-runtime.ts'
import { MemoryBucket, MemoryObjectStore } from './sink/memory-object-store.ts'
import { type Death, dieAt } from './sink/mortal-process.ts'
import { expectedLines, lake, publishedLines, ticksTopic } from './sink/sink-fixture.ts'

/** What becomes of an invocation, and of the batch it was given. */
type Fate =
  | { readonly kind: 'succeeds' }
  /** It succeeds, and Lambda counts it as timed out all the same: the batch comes again. */
  | { readonly kind: 'unheard' }
  | { readonly kind: 'dies'; readonly at: number; readonly death: Death }
  /** It is frozen at a call, counts as timed out, and wakes some steps later beside its successors. */
  | { readonly kind: 'freezes'; readonly at: number; readonly steps: number }

const fate = fc.oneof(
  fc.constant<Fate>({ kind: 'succeeds' }),
  fc.constant<Fate>({ kind: 'unheard' }),
  fc.record<Fate & { kind: 'dies' }>({
    kind: fc.constant('dies'),
    at: fc.integer({ min: 1, max: 24 }),
    death: fc.constantFrom<Death>('before', 'after', 'late'),
  }),
  fc.record<Fate & { kind: 'freezes' }>({
    kind: fc.constant('freezes'),
    at: fc.integer({ min: 1, max: 24 }),
    steps: fc.integer({ min: 0, max: 4 }),
  }),
)

const step = fc.record({
  fate,
  /** Records of the batch: retries come bisected or batched anew. */
  size: fc.integer({ min: 1, max: 9 }),
  /** Records handed over once more: an event source that was made anew begins earlier. */
  overlap: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 12 })),
  /** The execution environment of the step before is used again. */
  warm: fc.boolean(),
  /** All uploads that are not completed are removed before it, as a bucket rule does. */
  uploadsLost: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.boolean()),
})

const history = fc.record({
  seed: fc.nat(),
  holes: fc.boolean(),
  records: fc.integer({ min: 1, max: 25 }),
  steps: fc.array(step, { minLength: 1, maxLength: 10 }),
})

it('1,000 random histories of a Lambda function lose nothing and double nothing', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ seed, holes, records, steps }) => {
      const log = new FakeLog().appendMany(Math.ceil(records / 2), 'abc')
      if (holes) log.skip(3)
      log.appendMany(records)
      const bucket = new MemoryBucket()
      let environments = 0
      const environment = (): { sink: PushSink; store: MemoryObjectStore } => {
        const store = new MemoryObjectStore(bucket)
        environments += 1
        const sink = createPushSink({
          name: 'market',
          topic: ticksTopic,
          table: lake,
          store,
          runtime: new ManualRuntime(seed + environments),
          createEngine: () => new LineEngine({ earlyParts: true }),
          genesis: 0n,
        })
        return { sink, store }
      }
      const batch = (from: number, size: number): RecordBlock =>
        log.block(log.records[from]!.offset, Math.min(size, log.records.length - from))
      const push = (sink: PushSink, block: RecordBlock) =>
        sink.push(block, { onHole: holes ? 'accept' : 'refuse' }).then(
          () => true,
          () => false,
        )
      const sleepers: { readonly due: number; readonly wake: () => unknown }[] = []
      /** The event source's checkpoint, as an index of the records. */
      let handedOver = 0
      let warm: ReturnType<typeof environment> | undefined
      for (const [index, { fate, size, overlap, warm: reuse, uploadsLost }] of steps.entries()) {
        for (const { due, wake } of sleepers) if (due === index) wake()
        if (uploadsLost) bucket.uploads.clear()
        if (handedOver >= log.records.length) handedOver = 0
        const { sink, store } = (reuse && warm) || environment()
        warm = { sink, store }
        const from = Math.max(0, handedOver - overlap)
        const block = batch(from, handedOver - from + size)
        if (fate.kind === 'succeeds' || fate.kind === 'unheard') {
          const done = await push(sink, block)
          if (done && fate.kind === 'succeeds') handedOver += size
          continue
        }
        warm = undefined
        const at = store.calls.length + fate.at
        if (fate.kind === 'dies') {
          const { died, late } = dieAt(store, at, fate.death)
          sleepers.push({ due: index + 2, wake: late })
          await Promise.race([died, push(sink, block)])
          continue
        }
        const frozen = new Promise<void>((resolve) => {
          store.intercept = async (call, apply) => {
            if (call.number >= at) {
              resolve()
              await woken
            }
            return apply()
          }
        })
        let wake = () => {}
        const woken = new Promise<void>((resolve) => {
          wake = resolve
        })
        sleepers.push({ due: index + fate.steps + 1, wake })
        await Promise.race([frozen, push(sink, block)])
      }
      const everything = batch(0, log.records.length)
      for (const when of ['before those that sleep wake', 'after', 'and once more']) {
        const done = await push(environment().sink, everything)
        if (when !== 'before those that sleep wake') expect(done, when).toBe(true)
        for (const { wake } of sleepers) wake()
        await settle()
      }
      expect(publishedLines(bucket)).toEqual(expectedLines(log))
      expect(bucket.partsSentTwice).toEqual([])
    }),
    { numRuns: 1000 },
  )
}, 240_000)
