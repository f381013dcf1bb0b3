import { channels, type GroupPublished, type Runtime, type TopicPartition } from '@stockpipe/core'
import type { JournalEntry } from './journal-entry.ts'
import type { CutReason, GroupCommit } from './sink-options.ts'

type Step = keyof GroupPublished['millis']

/** How long each step of a cut takes. */
export class StepTimes {
  readonly millis: Record<Step, number> = { stage: 0, claim: 0, publish: 0, register: 0 }
  readonly #runtime: Runtime
  #since: number

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.#since = runtime.monotonic()
  }

  /** To be called when a step has ended, in their order. */
  ended(step: Step): void {
    const now = this.#runtime.monotonic()
    this.millis[step] = now - this.#since
    this.#since = now
  }
}

/** A group that is published and registered, as `onCommit` is told. */
export const groupCommit = (
  { topic, partition, start, next, counts, holes, files }: JournalEntry,
  cutBy: CutReason,
  millis: number,
): GroupCommit => ({
  log: { topic, partition },
  start,
  next,
  ...counts,
  holes: holes.offsets,
  files: files.map(({ kind, key, rows, bytes }) => ({ kind, key, rows, bytes })),
  cutBy,
  millis,
})

/** Tells of a group that is published and registered. */
export const tellGroup = (
  sink: string,
  { topic, partition }: TopicPartition,
  entry: JournalEntry,
  times: StepTimes,
  runtime: Runtime,
): void =>
  channels.s3Sink.group.publish(() => ({
    sink,
    topic,
    partition,
    start: entry.start,
    next: entry.next,
    cutBy: entry.cutBy,
    records: entry.counts.records,
    rows: entry.counts.rows,
    deadLetters: entry.counts.deadLetters,
    holes: entry.holes.offsets,
    files: entry.files.map(({ key, kind, rows, bytes }) => ({ key, kind, rows, bytes })),
    millis: { ...times.millis },
    publishedAt: runtime.now(),
    minEventTime: farthest(entry, 'minEventTime', Math.min),
    maxEventTime: farthest(entry, 'maxEventTime', Math.max),
  }))

const farthest = (
  { files }: JournalEntry,
  name: 'minEventTime' | 'maxEventTime',
  choose: (left: number, right: number) => number,
): number | null =>
  files.reduce<number | null>((chosen, { [name]: time }) => {
    if (time === null) return chosen
    return chosen === null ? time : choose(chosen, time)
  }, null)
