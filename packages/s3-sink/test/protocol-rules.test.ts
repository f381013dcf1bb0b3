import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** Each rule of the commit protocol that closes a hole found by exploring it, and the tests that hold it. */
const rules: readonly (readonly [rule: string, file: string, title: string])[] = [
  [
    'two stagings never meet on a key',
    'journal-claim',
    'that takes effect after a successor began makes the successor give way and settle it',
  ],
  [
    'any object at the key is proof of publication',
    'journal-publish',
    'takes any object at the key as proof',
  ],
  [
    'the committed offset is never a position once there is a genesis or an entry',
    'journal-open',
    "is never the group's committed offset once there is a journal; one ahead of it is warned of",
  ],
  [
    'part numbers are never sent twice for one upload',
    'staging',
    'never sends a part number twice: a repeat takes the next one, and the entry names what was sent',
  ],
  [
    'no claim outlives what it was read from by 24 hours',
    'journal-claim',
    'is not made on a chain that was read more than 24 hours ago: it is read again first',
  ],
  ['nor is it signed later, nor is genesis', 'journal-claim', 'tells the store until when it may be signed'],
  [
    'nor does the last resort put what was compacted meanwhile',
    'last-resort',
    'of an owner that hung puts nothing once the chain has moved on, though its files were compacted away',
  ],
  [
    'only the claim id tells whose entry it is, not the writer',
    'journal-claim',
    'is not ours because the entry names our own writer: only the claim id counts',
  ],
  [
    'nothing of a claim whose outcome is unknown is aborted',
    'journal-claim',
    'whose outcome is unknown keeps its uploads when the partition is taken away, and a successor publishes them',
  ],
  [
    'a newer entry or a marker shows that a group was published once',
    'journal-publish',
    'goes on without upload and object when the chain shows %s',
  ],
  [
    'uploads are never cleaned by age',
    'upload-cleaner',
    'never by age: what is staged at the end of the chain, or beyond it, is left alone however old it is',
  ],
  [
    'the chain is read after the uploads were listed',
    'upload-cleaner',
    'reads the chain after it has listed: an upload claimed meanwhile is left alone',
  ],
  [
    'pruning spares the newest entries of an idle partition log, and genesis',
    'journal-prune',
    'never deletes one of the newest two entries, or genesis, however old they are',
  ],
  ['no lifecycle rule prunes the journal', 'lifecycle-check', 'that %s are reported'],
  [
    'pushed records below genesis are an error, not done',
    'push-sink',
    'of two first invocations at once is the same, and records below it are an error, never done',
  ],
]

describe('a rule of the commit protocol is held by a test:', () => {
  it.each(rules)('%s', (_, file, title) => {
    const source = readFileSync(new URL(`${file}.test.ts`, import.meta.url), 'utf8')
    expect(source.split(title).length - 1, `"${title}" in ${file}.test.ts`).toBe(1)
  })
})
