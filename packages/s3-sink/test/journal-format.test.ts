import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readCheckpoint, writeCheckpoint } from '../src/checkpoint.ts'
import {
  readCompaction,
  readCompactionStep,
  writeCompaction,
  writeCompactionStep,
} from '../src/compaction-record.ts'
import { readGenesis, writeGenesis } from '../src/genesis.ts'
import { readEntry, writeEntry } from '../src/journal-entry.ts'
import { JsonFields } from '../src/json-fields.ts'

const page = readFileSync(new URL('../../../docs/journal-format.md', import.meta.url), 'utf8')
const example = (name: string): string => new RegExp(`\`\`\`json ${name}\n([^]*?)\`\`\``).exec(page)![1]!
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const log = { topic: 'trades', partition: 0 }

const kinds = {
  genesis: {
    read: (bytes: Uint8Array) => readGenesis(bytes, 'key', log, 'trades'),
    write: (value: never) => writeGenesis(value),
  },
  entry: {
    read: (bytes: Uint8Array) => readEntry(bytes, 'key', { sink: 'trades', log, start: 0n }),
    write: (value: never) => writeEntry(value),
  },
  checkpoint: {
    read: (bytes: Uint8Array) => readCheckpoint(bytes, 'key', { sink: 'trades', log, next: 5n }),
    write: (value: never) => writeCheckpoint(value),
  },
  compaction: {
    read: (bytes: Uint8Array) =>
      readCompaction(bytes, 'key', { sink: 'trades', path: 'ticker=IBM/', generation: 1 }),
    write: (value: never) => writeCompaction(value),
  },
  switched: {
    read: (bytes: Uint8Array) => readCompactionStep(bytes, 'key', 'switched'),
    write: (value: never) => writeCompactionStep('switched', value),
  },
}

describe.each(Object.entries(kinds))('the %s in docs/journal-format.md', (name, { read, write }) => {
  const text = example(name)

  it('is read, and written again as it stands there', () => {
    const value = read(bytesOf(text))
    expect(JSON.parse(new TextDecoder().decode(write(value as never)))).toEqual(JSON.parse(text))
  })

  it('of a newer version is refused by name, whatever else it holds', () => {
    const newer = bytesOf(JSON.stringify({ format: JSON.parse(text).format, formatVersion: 2 }))
    expect(() => read(newer)).toThrow(
      expect.objectContaining({
        code: 'JOURNAL_FORMAT_NEWER',
        message: expect.stringMatching(
          /format version 2; this package reads up to 1\. Run the newer version/,
        ),
      }),
    )
  })

  it('has every member explained, and no member may be missing or of another kind', () => {
    const members = Object.entries(JSON.parse(text) as Record<string, unknown>)
    for (const [member, value] of members) {
      expect(page).toContain(`\`${member}\``)
      if (member === 'format') continue
      const { [member]: _, ...without } = JSON.parse(text)
      const incomplete = () => read(bytesOf(JSON.stringify(without)))
      // Entries from before late rows had a policy leave it out.
      if (member === 'late') expect(incomplete()).toEqual(read(bytesOf(text)))
      else expect(incomplete, member).toThrow(/key: /)
      const wrong = typeof value === 'object' && value !== null ? 7 : { wrong: true }
      expect(() => read(bytesOf(JSON.stringify({ ...JSON.parse(text), [member]: wrong }))), member).toThrow(
        /key: /,
      )
    }
  })

  it('may hold members that are not known yet', () => {
    const more = bytesOf(JSON.stringify({ ...JSON.parse(text), later: { more: 1 } }))
    expect(read(more)).toEqual(read(bytesOf(text)))
  })
})

describe('an entry that does not hold together', () => {
  it.each<[string, (entry: Record<string, never>) => void]>([
    ['records and holes', (entry) => Object.assign(entry['counts']!, { records: 5, rows: 4 })],
    ['rows of the files', (entry) => Object.assign(entry['files']![0]!, { rows: 2 })],
    ['the parts', (entry) => Object.assign(entry['files']![0]!, { bytes: 611 })],
    ['start 0 is below next', (entry) => Object.assign(entry, { next: '0' })],
    [
      'two files share the key',
      (entry) =>
        Object.assign(entry, {
          counts: { records: 6, rows: 6, deadLetters: 0, skipped: 0 },
          next: '6',
          holes: { offsets: '0', ranges: [], truncated: false },
          files: [entry['files']![0], entry['files']![0]],
        }),
    ],
    ['its start is', (entry) => Object.assign(entry, { start: '1' })],
    ['claimId', (entry) => Object.assign(entry, { claimId: 'abc' })],
    ['previousStart', (entry) => Object.assign(entry, { previousStart: '0' })],
    ['it is an entry of', (entry) => Object.assign(entry, { sink: 'others' })],
  ])('is refused: %s', (message, change) => {
    const entry = JSON.parse(example('entry'))
    change(entry)
    expect(() => kinds.entry.read(bytesOf(JSON.stringify(entry)))).toThrow(message)
  })
})

it('a reader of a later version takes what an earlier one wrote', () => {
  const fields = JsonFields.read(bytesOf(example('entry')), 'key', 'stockpipe-journal-entry', 2)
  expect(fields.text('sink')).toBe('trades')
})
