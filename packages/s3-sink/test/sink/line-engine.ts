import { packedAt, type RecordBlock, recordOffset, type TopicPartition } from '@stockpipe/core'
import type { Engine, EngineRequest, EngineResponse, FileContent } from '../../src/engine-messages.ts'

interface Row {
  readonly offset: bigint
  readonly path: string
  readonly text: string
}

/** What was answered of a file before the cut. */
interface Begun {
  readonly file: number
  sentBytes: number
}

/**
 * An engine whose files are lines `offset value`, one path a first character; `bad…` is rejected, a dead letter. With
 * `earlyParts`, parts are answered as soon as there is more than one.
 */
export class LineEngine implements Engine {
  readonly #rows = new Map<string, Row[]>()
  readonly #deadLetters = new Map<string, Row[]>()
  /** By path, in the order of the files' numbers. */
  readonly #begun = new Map<string, Map<string, Begun>>()
  readonly #partBytes: number
  readonly #earlyParts: boolean
  closed = false

  constructor({ partBytes = 12, earlyParts = false } = {}) {
    this.#partBytes = partBytes
    this.#earlyParts = earlyParts
  }

  handle(request: EngineRequest): Iterable<EngineResponse> {
    if (request.kind === 'block') return this.#take(request.block, request.from)
    if (request.kind === 'cut') return this.#cut(request.log)
    this.#forget(request.log)
    return []
  }

  close(): void {
    this.closed = true
  }

  heldRows(log: TopicPartition): number {
    return this.#rows.get(nameOf(log))?.length ?? 0
  }

  #forget(log: TopicPartition): void {
    this.#rows.delete(nameOf(log))
    this.#deadLetters.delete(nameOf(log))
    this.#begun.delete(nameOf(log))
  }

  #take(block: RecordBlock, from: bigint): EngineResponse[] {
    const log = { topic: block.topic, partition: block.partition }
    const rows = this.#rows.get(nameOf(log)) ?? []
    const deadLetters = this.#deadLetters.get(nameOf(log)) ?? []
    this.#rows.set(nameOf(log), rows)
    this.#deadLetters.set(nameOf(log), deadLetters)
    const rejected = []
    let taken = 0
    for (let index = 0; index < block.count; index += 1) {
      const offset = recordOffset(block, index)
      if (offset < from) continue
      const text = new TextDecoder().decode(packedAt(block.values, index) ?? undefined)
      if (text.startsWith('bad')) {
        rejected.push({ index, offset, column: 'price', reason: `${text} is no price` })
        deadLetters.push({ offset, path: '', text })
      } else {
        rows.push({ offset, path: text.slice(0, 1), text })
        taken += 1
      }
    }
    const bytes = [...rows, ...deadLetters].reduce((sum, row) => sum + row.text.length + 8, 0)
    const files = new Map<string, number>()
    for (const { path, text } of rows) files.set(path, (files.get(path) ?? 0) + text.length + 8)
    const parts = this.#earlyParts ? this.#wholeParts(log) : []
    const sent = [...(this.#begun.get(nameOf(log))?.values() ?? [])]
    const buffered = {
      bufferedRows: rows.length,
      bufferedBytes: bytes - sent.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
      encodedBytes: bytes,
      largestFileBytes: Math.max(0, ...files.values()),
      openPaths: files.size,
    }
    return [
      ...(rejected.length > 0 ? [{ kind: 'rejected', log, records: rejected } as const] : []),
      ...parts,
      { kind: 'buffered', log, rows: taken, deadLetters: rejected.length, skipped: 0, ...buffered },
    ]
  }

  #wholeParts(log: TopicPartition): EngineResponse[] {
    const begun = this.#begun.get(nameOf(log)) ?? new Map<string, Begun>()
    this.#begun.set(nameOf(log), begun)
    const parts: EngineResponse[] = []
    for (const { content, partitionValues, bytes } of this.#files(log)) {
      const path = JSON.stringify([content, partitionValues])
      const one = begun.get(path) ?? { file: begun.size, sentBytes: 0 }
      for (; bytes.length - one.sentBytes > this.#partBytes; one.sentBytes += this.#partBytes) {
        begun.set(path, one)
        const part = bytes.slice(one.sentBytes, one.sentBytes + this.#partBytes)
        const partNumber = one.sentBytes / this.#partBytes + 1
        const facts = { log, file: one.file, content, partitionValues }
        parts.push({ kind: 'part', ...facts, partNumber, bytes: part, last: false })
      }
    }
    return parts
  }

  #files(log: TopicPartition) {
    const rows = this.#rows.get(nameOf(log)) ?? []
    const deadLetters = this.#deadLetters.get(nameOf(log)) ?? []
    const paths = [...new Set(rows.map((row) => row.path))].sort()
    const files = paths.map((path) => ({
      content: 'data' as FileContent,
      partitionValues: [path === '-' ? null : path],
      own: rows.filter((row) => row.path === path),
    }))
    if (deadLetters.length > 0) files.push({ content: 'dead-letters', partitionValues: [], own: deadLetters })
    return files.map((file) => ({
      ...file,
      bytes: new TextEncoder().encode(file.own.map((row) => `${row.offset} ${row.text}\n`).join('')),
    }))
  }

  *#cut(log: TopicPartition): Generator<EngineResponse, void, undefined> {
    const begun = this.#begun.get(nameOf(log)) ?? new Map<string, Begun>()
    let next = begun.size
    for (const { own, bytes, ...kind } of this.#files(log)) {
      const path = JSON.stringify([kind.content, kind.partitionValues])
      const { file, sentBytes } = begun.get(path) ?? { file: next++, sentBytes: 0 }
      const facts = { log, file, ...kind }
      for (let at = sentBytes; at < bytes.length; at += this.#partBytes) {
        const partNumber = at / this.#partBytes + 1
        const part = bytes.slice(at, at + this.#partBytes)
        const last = at + this.#partBytes >= bytes.length
        yield { kind: 'part', ...facts, partNumber, bytes: part, last }
      }
      yield {
        kind: 'file',
        ...facts,
        rows: own.length,
        bytes: bytes.length,
        firstOffset: own[0]!.offset,
        lastOffset: own.at(-1)!.offset,
        minEventTime: null,
        maxEventTime: null,
      }
    }
    this.#forget(log)
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
