import { open } from 'node:fs/promises'

/** A row of a result; null is NULL, which the CSV keeps apart from ''. */
export type ResultRow = readonly (string | null)[]

/** Lines of Athena's CSV, the first one of which has the names; every cell quoted, NULL a bare empty field, lines end with LF. */
export const encodeCsvLines = (rows: readonly ResultRow[]): Buffer => Buffer.from(rows.map(csvLine).join(''))

const csvLine = (row: ResultRow): string =>
  `${row.map((cell) => (cell === null ? '' : `"${cell.replaceAll('"', '""')}"`)).join(',')}\n`

/** Rows of a result file and where the next begin. */
export interface ResultPage<Row> {
  readonly rows: readonly Row[]
  /** Byte offset of the row after the last one; undefined at the end of the file. */
  readonly nextOffset?: number
}

const quote = 0x22
const comma = 0x2c
const lineFeed = 0x0a
const chunkBytes = 256 * 1024

/** Reads up to `limit` rows of a result CSV from a byte offset that begins a row; holds one page in memory. */
export async function readCsvPage(
  filePath: string,
  offset: number,
  limit: number,
): Promise<ResultPage<ResultRow>> {
  return readLines(filePath, offset, limit, { quoted: true, decode: decodeCsvLine })
}

/** Reads up to `limit` lines of a result text file. */
export async function readTextPage(
  filePath: string,
  offset: number,
  limit: number,
): Promise<ResultPage<ResultRow>> {
  return readLines(filePath, offset, limit, { quoted: false, decode: (line) => [line.toString('utf8')] })
}

async function readLines<Row>(
  filePath: string,
  offset: number,
  limit: number,
  format: { readonly quoted: boolean; readonly decode: (line: Buffer) => Row },
): Promise<ResultPage<Row>> {
  const file = await open(filePath, 'r')
  try {
    const { size } = await file.stat()
    const rows: Row[] = []
    let pending: Buffer = Buffer.alloc(0)
    let pendingAt = offset
    let scanned = 0
    let inQuotes = false
    for (;;) {
      for (; scanned < pending.length; scanned += 1) {
        const byte = pending[scanned]
        // A doubled quote leaves the quotes and enters them again at once.
        if (format.quoted && byte === quote) inQuotes = !inQuotes
        if (byte !== lineFeed || inQuotes) continue
        rows.push(format.decode(pending.subarray(0, scanned)))
        pendingAt += scanned + 1
        pending = pending.subarray(scanned + 1)
        scanned = -1
        if (rows.length === limit) return pendingAt < size ? { rows, nextOffset: pendingAt } : { rows }
      }
      const chunk = Buffer.alloc(Math.max(0, Math.min(chunkBytes, size - pendingAt - pending.length)))
      if (chunk.length === 0) return { rows }
      const { bytesRead } = await file.read(chunk, 0, chunk.length, pendingAt + pending.length)
      if (bytesRead === 0) return { rows }
      pending = Buffer.concat([pending, chunk.subarray(0, bytesRead)])
    }
  } finally {
    await file.close()
  }
}

function decodeCsvLine(line: Buffer): ResultRow {
  const row: (string | null)[] = []
  for (let at = 0; at <= line.length; at += 1) {
    const start = at
    if (line[at] !== quote) {
      // Only NULL is unquoted: what stands before the comma is empty.
      while (at < line.length && line[at] !== comma) at += 1
      row.push(at === start ? null : line.toString('utf8', start, at))
      continue
    }
    for (at += 1; line[at] !== quote || line[at + 1] === quote; at += 1) {
      if (at >= line.length) throw new SyntaxError('a quoted cell of the result file does not end')
      if (line[at] === quote) at += 1
    }
    row.push(line.toString('utf8', start + 1, at).replaceAll('""', '"'))
    at += 1
  }
  return row
}
