import { defineTable, defineTopic, identity, t } from '@stockpipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEngine, createSmallPartsEngine } from '../src/engine.ts'
import type { Engine, EngineOptions, EngineResponse } from '../src/engine-messages.ts'
import { rowsOf } from './engine/parquet-files.ts'
import { blockOf } from './engine/record-blocks.ts'

type Part = Extract<EngineResponse, { kind: 'part' }>
type File = Extract<EngineResponse, { kind: 'file' }>
type Buffered = Extract<EngineResponse, { kind: 'buffered' }>

const table = defineTable('ticks', {
  columns: { symbol: t.string(), ts: t.timestamp(), price: t.double(), note: t.binary().nullable() },
  partitions: { ticker: identity('symbol') },
})
const topic = defineTopic('ticks', { table })
const log = { topic: 'ticks', partition: 0 }

/** Bytes that do not compress, the same every time. */
const noise = (length: number, seed: number): string => {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index += 1) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0
    bytes[index] = seed >>> 24
  }
  return Buffer.from(bytes).toString('base64')
}

const row = (index: number, paths = 1, noteBytes = 10) => ({
  symbol: `S${index % paths}`,
  ts: new Date(Date.UTC(2026, 0, 2) + index * 1000).toISOString(),
  price: index / 7,
  note: noise(noteBytes, index),
})

const block = (first: number, values: readonly object[]) =>
  blockOf(
    'ticks',
    values.map((value, index) => ({ offset: BigInt(first + index), value })),
  )
const take = (
  engine: Engine,
  first: number,
  values: readonly object[],
  watermark: number | null = null,
): EngineResponse[] => [...engine.handle({ kind: 'block', block: block(first, values), from: 0n, watermark })]
const cut = (engine: Engine, next: number) =>
  engine.handle({ kind: 'cut', log, start: 0n, next: BigInt(next) })
const partsOf = (responses: Iterable<EngineResponse>): Part[] =>
  [...responses].filter((response) => response.kind === 'part')
const bufferedOf = (responses: readonly EngineResponse[]) => responses.at(-1) as Buffered

/** The files of all that was answered, by what they hold; throws where a part does not follow the one before. */
const assembled = (responses: readonly EngineResponse[], partBytes: number) => {
  const parts = new Map<number, Part[]>()
  const files: { facts: File; bytes: Buffer }[] = []
  for (const response of responses) {
    if (response.kind === 'part') {
      const before = parts.get(response.file) ?? []
      if (response.partNumber !== before.length + 1 || before.at(-1)?.last) throw new Error('order')
      if (!response.last && response.bytes.length !== partBytes) throw new Error('size')
      parts.set(response.file, [...before, response])
    }
    if (response.kind !== 'file') continue
    const own = parts.get(response.file)!
    parts.delete(response.file)
    const { content, partitionValues } = own[0]!
    if (!own.at(-1)!.last || own.some((part) => part.content !== content)) throw new Error('ends')
    expect([content, partitionValues]).toEqual([response.content, response.partitionValues])
    files.push({ facts: response, bytes: Buffer.concat(own.map(({ bytes }) => bytes)) })
  }
  if (parts.size > 0) throw new Error('parts without a file')
  return files
}

/** Everything an engine answers to rows in blocks, and to the cut. */
const answered = (
  values: readonly object[],
  blockRows: number,
  options: Omit<EngineOptions, 'topic'>,
  watermark: number | null = null,
): { early: EngineResponse[]; all: EngineResponse[] } => {
  const engine = createSmallPartsEngine({ topic: topic.toJSON(), ...options })
  const early: EngineResponse[] = []
  for (let from = 0; from < values.length; from += blockRows)
    early.push(...take(engine, from, values.slice(from, from + blockRows), watermark))
  return { early, all: [...early, ...cut(engine, values.length)] }
}

describe('parts of a group that is open', () => {
  it('come as soon as the row groups of a file fill one, and with the rest make the very file a cut alone makes', () => {
    fc.assert(
      fc.property(
        fc.record({
          rows: fc.integer({ min: 1, max: 400 }),
          paths: fc.integer({ min: 1, max: 5 }),
          blockRows: fc.integer({ min: 1, max: 90 }),
          partBytes: fc.integer({ min: 60, max: 4_000 }),
          rowGroupRows: fc.integer({ min: 1, max: 60 }),
          fileBytes: fc.constantFrom(2_000, 6_000, 1_000_000),
          sorted: fc.boolean(),
          late: fc.constantFrom(undefined, 'separate-prefix' as const, 'dead-letter' as const),
          bad: fc.integer({ min: 2, max: 50 }),
        }),
        ({ rows, paths, blockRows, partBytes, rowGroupRows, fileBytes, sorted, late, bad }) => {
          const values = Array.from({ length: rows }, (_, index) =>
            index % bad === 1 ? { symbol: 7, note: 'bad' } : row(index, paths),
          )
          const options = {
            rowGroupRows,
            fileBytes,
            ...(sorted ? { sortBy: ['price'] } : {}),
            ...(late ? { late: { allowedMillis: 0, outcome: late } } : {}),
          }
          const watermark = Date.UTC(2026, 0, 2) + 100_000
          const whole = answered(values, blockRows, options, watermark)
          expect(partsOf(whole.early)).toEqual([])
          const { early, all } = answered(values, blockRows, { ...options, partBytes }, watermark)
          const files = assembled(all, partBytes)
          const withoutNumbers = (answers: typeof files) =>
            answers.map(({ facts: { file, ...facts }, bytes }) => ({ facts, bytes: bytes.toString('hex') }))
          expect(withoutNumbers(files)).toEqual(withoutNumbers(assembled(whole.all, 8 * 1024 * 1024)))
          // What was sent counts for the size of the files.
          const sent = partsOf(early).reduce((bytes, part) => bytes + part.bytes.length, 0)
          const { encodedBytes } = early.findLast((response) => response.kind === 'buffered') as Buffered
          expect(encodedBytes).toBeGreaterThanOrEqual(sent)
          // And they cost no part more than a cut alone.
          for (const { facts, bytes } of files) {
            const own = partsOf(all).filter(({ file }) => file === facts.file)
            expect(own).toHaveLength(Math.ceil(bytes.length / partBytes))
          }
        },
      ),
      { numRuns: 40 },
    )
  }, 60_000)

  it('let a path of 32 MiB hold three parts of 8 MiB at most', async () => {
    const engine = createEngine({ topic: topic.toJSON(), compression: 'none', rowGroupRows: 4_096 })
    const mebibyte = 1024 * 1024
    const [noteBytes, blockRows, rows] = [1024, 1_000, 32_000]
    const all: EngineResponse[] = []
    let most = 0
    for (let from = 0; from < rows; from += blockRows) {
      const values = Array.from({ length: blockRows }, (_, index) => row(from + index, 1, noteBytes))
      const responses = take(engine, from, values)
      const { bufferedBytes, encodedBytes, largestFileBytes, bufferedRows } = bufferedOf(responses)
      most = Math.max(most, bufferedBytes)
      all.push(...responses)
      // Rotation goes by the file, not by what is held of it.
      const sent = partsOf(all).length * 8 * mebibyte
      expect(encodedBytes).toBeGreaterThanOrEqual(sent)
      expect(largestFileBytes).toBeGreaterThanOrEqual(sent)
      expect(bufferedRows).toBe(from + blockRows)
    }
    expect(most).toBeLessThan(24 * mebibyte)
    expect(partsOf(all)).toHaveLength(3)
    all.push(...cut(engine, rows))
    const [file, ...others] = assembled(all, 8 * mebibyte)
    expect(others).toEqual([])
    expect(file!.facts).toMatchObject({ rows, bytes: file!.bytes.length, firstOffset: 0n })
    const read = await rowsOf(table, file!.bytes)
    expect(read.map(({ price }) => price)).toEqual(Array.from({ length: rows }, (_, index) => index / 7))
    expect(Buffer.from(read.at(-1)!['note'] as Uint8Array).toString('base64')).toBe(
      noise(noteBytes, rows - 1),
    )
  }, 120_000)

  it('are made when they are pulled: what was left is answered to the next block, or at the cut', () => {
    const values = Array.from({ length: 60 }, (_, index) => row(index))
    const whole = answered(values, 20, { partBytes: 300, rowGroupRows: 5 })
    const engine = createSmallPartsEngine({ topic: topic.toJSON(), partBytes: 300, rowGroupRows: 5 })
    // The block is in, though nobody has pulled.
    engine.handle({ kind: 'block', block: block(0, values.slice(0, 20)), from: 0n })
    const [first] = engine.handle({ kind: 'block', block: block(20, values.slice(20, 40)), from: 0n })
    expect(first).toMatchObject({ kind: 'part', partNumber: 1, file: 0 })
    const more = take(engine, 40, values.slice(40))
    expect(bufferedOf(more)).toMatchObject({ rows: 20, bufferedRows: 60 })
    const all = [first!, ...more, ...cut(engine, 60)]
    const hex = (answers: readonly EngineResponse[]) =>
      assembled(answers, 300).map(({ bytes }) => bytes.toString('hex'))
    expect(hex(all)).toEqual(hex(whole.all))
  })

  it('that were pulled are not answered again by a cut that was returned early', () => {
    const values = Array.from({ length: 60 }, (_, index) => row(index, 2))
    const engine = createSmallPartsEngine({ topic: topic.toJSON(), partBytes: 300, rowGroupRows: 5 })
    const early = take(engine, 0, values)
    expect(partsOf(early).length).toBeGreaterThan(3)
    for (const response of cut(engine, 60)) if (response.kind === 'file') break
    early.push(...take(engine, 60, [row(60, 2)]))
    const files = assembled([...early, ...cut(engine, 61)], 300)
    expect(files.map(({ facts }) => [facts.partitionValues, facts.rows])).toEqual([
      [['S0'], 31],
      [['S1'], 30],
    ])
    expect([...cut(engine, 61)]).toEqual([])
  })

  it('end with an error when the rows are discarded under them, and while a cut is under way', () => {
    const engine = createSmallPartsEngine({ topic: topic.toJSON(), partBytes: 300, rowGroupRows: 5 })
    const values = Array.from({ length: 60 }, (_, index) => row(index, 2))
    const pulled = engine.handle({ kind: 'block', block: block(0, values), from: 0n })[Symbol.iterator]()
    expect(pulled.next().value).toMatchObject({ kind: 'part' })
    const cutting = cut(engine, 60)[Symbol.iterator]()
    cutting.next()
    expect(() => pulled.next()).toThrow(/cut of ticks-0 is under way/)
    cutting.return?.()
    const again = engine.handle({ kind: 'block', block: block(60, [row(60)]), from: 0n })[Symbol.iterator]()
    expect(again.next().value).toMatchObject({ kind: 'part' })
    engine.handle({ kind: 'discard', log })
    take(engine, 0, values)
    expect(() => again.next()).toThrow(/discarded while they were cut or sent/)
  })

  it('are numbered by the file they belong to, whichever path comes first at the cut', () => {
    const engine = createSmallPartsEngine({ topic: topic.toJSON(), partBytes: 300, rowGroupRows: 5 })
    const of = (symbol: string, count: number) =>
      Array.from({ length: count }, (_, index) => ({ ...row(index), symbol }))
    const early = take(engine, 0, [...of('B', 30), ...of('A', 2)])
    expect(new Set(partsOf(early).map(({ file }) => file))).toEqual(new Set([0]))
    const files = assembled([...early, ...cut(engine, 32)], 300)
    expect(files.map(({ facts }) => [facts.partitionValues, facts.file])).toEqual([
      [['A'], 1],
      [['B'], 0],
    ])
  })
})
