import { createReadStream } from 'node:fs'
import type { RecordSource } from '@stockpipe/core'
import { fileUnreadable, lineUnfit, mapRow } from './file-failure.ts'
import { recordBatches } from './record-batches.ts'

export interface ReplayNdjsonOptions<Row> {
  /** Makes a row from the value of a line; what it throws is reported with file and line. */
  readonly row: (value: unknown, line: number) => Row
  /** Reads the text of a line. Default `JSON.parse`, which rounds whole numbers beyond 2^53. */
  readonly parse?: (text: string) => unknown
  /** Rows a batch. Default 1,000. */
  readonly batchRows?: number
  /** Read the file once more beforehand, so that progress knows the total. Default false. */
  readonly countRecords?: boolean
}

interface TextLine {
  readonly text: string
  readonly line: number
  /** False for a last line without a line end. */
  readonly ended: boolean
}

/**
 * The values of a file of JSON lines as a source, in memory for one line. Blank lines are skipped, LF and CRLF end
 * a line, a byte order mark is ignored; an empty file is a source of no records.
 *
 * Reading throws a `StockpipeError` `FILE_UNREADABLE`, or a `SchemaMismatchError` that names file and line:
 * `JSON_SYNTAX`, or `FILE_TORN` when the last line has no end and is not a whole value.
 */
export const replayNdjson = <Row>(
  file: string | URL,
  options: ReplayNdjsonOptions<Row>,
): RecordSource<Row> => {
  const { row, parse = JSON.parse, batchRows = 1000 } = options
  async function* records(signal?: AbortSignal): AsyncGenerator<() => Row> {
    for await (const { text, line, ended } of textLines(file, signal)) {
      yield () => {
        let value: unknown
        try {
          value = parse(text)
        } catch (cause) {
          const reason = ended
            ? `is not JSON: ${(cause as Error).message}.`
            : 'the file ends in the middle of this line.'
          throw lineUnfit(file, line, reason, { code: ended ? 'JSON_SYNTAX' : 'FILE_TORN', cause })
        }
        return mapRow(file, line, () => row(value, line))
      }
    }
  }
  return {
    async *read(readOptions = {}) {
      let total: number | undefined
      if (options.countRecords) {
        total = 0
        for await (const _ of textLines(file, readOptions.signal)) total += 1
      }
      yield* recordBatches(records(readOptions.signal), batchRows, total, readOptions)
    },
  }
}

/** The lines of a file that are not blank. */
async function* textLines(file: string | URL, signal?: AbortSignal): AsyncGenerator<TextLine> {
  const input = createReadStream(file)
  const decoder = new TextDecoder()
  let line = 0
  let rest = ''
  try {
    for await (const chunk of input) {
      signal?.throwIfAborted()
      const pieces = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
      rest = pieces.pop()!
      for (const text of pieces) {
        line += 1
        if (text.trim() !== '') yield { text, line, ended: true }
      }
    }
    rest += decoder.decode()
    if (rest.trim() !== '') yield { text: rest, line: line + 1, ended: false }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw fileUnreadable(file, error)
    throw error
  } finally {
    input.destroy()
  }
}
