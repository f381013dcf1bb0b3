import type { GroupPublished, LagMeasured } from '../src/index.ts'

export const publishedAt = Date.UTC(2026, 0, 2, 15)

/** A group as a sink tells of it. */
export const groupOf = (changes: Partial<GroupPublished> = {}): GroupPublished => ({
  sink: 'trades',
  topic: 'ticks',
  partition: 3,
  start: 10n,
  next: 20n,
  cutBy: 'rows',
  records: 10,
  rows: 9,
  deadLetters: 1,
  holes: 0n,
  files: [
    { key: 'ticks/a.parquet', kind: 'data', rows: 9, bytes: 100_000 },
    { key: 'dead/b.parquet', kind: 'dead-letters', rows: 1, bytes: 900 },
  ],
  millis: { stage: 1500, claim: 20, publish: 300, register: 0 },
  publishedAt,
  minEventTime: publishedAt - 60_000,
  maxEventTime: publishedAt - 2500,
  ...changes,
})

export const lagOf = (changes: Partial<LagMeasured> = {}): LagMeasured => ({
  groupId: 'lake',
  topic: 'ticks',
  partition: 3,
  records: 42,
  seconds: 1.5,
  ...changes,
})
