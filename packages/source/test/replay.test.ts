import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { RecordSource } from '@stockpipe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { replayCsv, replayNdjson } from '../src/index.ts'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stockpipe-source-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

let files = 0
const fileOf = async (content: string | Uint8Array): Promise<string> => {
  const file = join(directory, `file-${files++}`)
  await writeFile(file, content)
  return file
}
const readAll = async <Row>(source: RecordSource<Row>, from = 0): Promise<Row[]> => {
  const rows: Row[] = []
  for await (const batch of source.read({ from })) rows.push(...batch.rows)
  return rows
}
const symbolAndSize = {
  columns: ['symbol', 'size'] as const,
  row: (record: { symbol: string; size: string }) => {
    if (!/^\d+$/.test(record.size)) throw new Error(`size "${record.size}" is not a whole number`)
    return `${record.symbol}:${record.size}`
  },
}
const csv = async (content: string | Uint8Array, from = 0) =>
  readAll(replayCsv(await fileOf(content), symbolAndSize), from)

describe('replayCsv', () => {
  it('takes columns by name in any order, with quotes, CRLF, a byte order mark and no last line end', async () => {
    expect(await csv('size,other,symbol\n1,x,AAPL\n2,y,IBM\n')).toEqual(['AAPL:1', 'IBM:2'])
    expect(await csv('\ufeffsymbol,size\r\nAAPL,1\r\nIBM,2')).toEqual(['AAPL:1', 'IBM:2'])
    expect(await csv('symbol,size\n"BRK, ""B""\nnew line",1\n\nIBM,2\n')).toEqual([
      'BRK, "B"\nnew line:1',
      'IBM:2',
    ])
  })

  it('reads an empty file and one with only a header as no records', async () => {
    expect(await csv('')).toEqual([])
    expect(await csv('symbol,size\n')).toEqual([])
  })

  it('reads files without a header and with another delimiter', async () => {
    const file = await fileOf('AAPL;1\nIBM;2\n')
    const source = replayCsv(file, { ...symbolAndSize, header: false, delimiter: ';' })
    expect(await readAll(source)).toEqual(['AAPL:1', 'IBM:2'])
    expect(
      await readAll(replayCsv(pathToFileURL(file), { ...symbolAndSize, header: false, delimiter: ';' }), 1),
    ).toEqual(['IBM:2'])
  })

  it('names file and line of what is wrong', async () => {
    await expect(csv('symbol,size\nAAPL,1\nIBM,two\n')).rejects.toThrow(
      /file-\d+ line 3: cannot become a row: size "two"/,
    )
    await expect(csv('symbol,size\nAAPL,1\nIBM\n')).rejects.toThrow(/line 3: 1 fields where 2 are expected/)
    await expect(csv('symbol,size\nAAPL,1,extra\n')).rejects.toThrow(/line 2: 3 fields where 2/)
    await expect(csv('symbol,size\nAAPL,1\n"IBM,2\n')).rejects.toThrow(
      /file-\d+ line \d: is not CSV: Quote Not Closed/,
    )
    await expect(csv('symbol,quantity\nAAPL,1\n')).rejects.toThrow(
      /line 1: the header has no column "size"; it has symbol, quantity/,
    )
    await expect(readAll(replayCsv(join(directory, 'none.csv'), symbolAndSize))).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/none\.csv cannot be read: there is no such file/),
    })
    await expect(readAll(replayCsv(directory, symbolAndSize))).rejects.toThrow(/it is a directory/)
    expect(() => replayCsv('x', { columns: ['a', 'a'], row: () => 1 })).toThrow(/none twice/)
  })

  it('resumes at a position without making the rows before it', async () => {
    expect(await csv('symbol,size\nbroken,row\nAAPL,1\nIBM,2\n', 1)).toEqual(['AAPL:1', 'IBM:2'])
    expect(await csv('symbol,size\nAAPL,1\n', 5)).toEqual([])
  })

  it('hands over batches with positions and tells progress, with the total when asked for', async () => {
    const file = await fileOf(`symbol,size\n${Array.from({ length: 25 }, (_, i) => `S,${i}\n`).join('')}`)
    const told: unknown[] = []
    const source = replayCsv(file, { ...symbolAndSize, batchRows: 10, countRecords: true })
    const positions: number[] = []
    for await (const batch of source.read({ from: 3, onProgress: (progress) => told.push(progress) })) {
      positions.push(batch.position)
    }
    expect(positions).toEqual([13, 23, 25])
    expect(told).toEqual([13, 23, 25].map((records) => ({ records, totalRecords: 25 })))
  })

  it('rejects with the reason of its signal', async () => {
    const file = await fileOf(`symbol,size\n${'S,1\n'.repeat(50_000)}`)
    const controller = new AbortController()
    const read = async () => {
      for await (const _ of replayCsv(file, symbolAndSize).read({ signal: controller.signal })) {
        controller.abort(new Error('enough'))
      }
    }
    await expect(read()).rejects.toThrow('enough')
  })
})

describe('replayNdjson', () => {
  const options = { row: (value: unknown) => (value as { id: number }).id }
  const ndjson = async (content: string | Uint8Array, from = 0) =>
    readAll(replayNdjson(await fileOf(content), options), from)

  it('reads a value a line, whatever the line ends, and skips blank lines and a byte order mark', async () => {
    expect(await ndjson('{"id":1}\n{"id":2}\n')).toEqual([1, 2])
    expect(await ndjson('\ufeff{"id":1}\r\n\r\n{"id":2}')).toEqual([1, 2])
    expect(await ndjson('')).toEqual([])
    expect(await ndjson('{"id":1}\n{"id":2}\n{"id":3}\n', 2)).toEqual([3])
  })

  it('keeps characters whole that two reads of the file cut apart', async () => {
    const text = `${JSON.stringify({ id: '€'.repeat(70_001) })}\n`
    expect(await ndjson(text)).toEqual(['€'.repeat(70_001)])
  })

  it('tells a torn last line from a wrong one and names the line', async () => {
    await expect(ndjson('{"id":1}\n{"id":')).rejects.toMatchObject({
      code: 'FILE_TORN',
      message: expect.stringMatching(/line 2: the file ends in the middle/),
    })
    await expect(ndjson('{"id":1}\n\n{"id":\n{"id":3}\n')).rejects.toMatchObject({
      code: 'JSON_SYNTAX',
      message: expect.stringMatching(/line 3: is not JSON/),
    })
    await expect(ndjson('{"id":1}\nnull\n')).rejects.toThrow(/line 2: cannot become a row/)
    await expect(readAll(replayNdjson(join(directory, 'none'), options))).rejects.toThrow(/no such file/)
  })

  it('takes another reader of the text, and counts when asked to', async () => {
    const file = await fileOf('9007199254740993\n1\n')
    const told: unknown[] = []
    const source = replayNdjson(file, { row: String, parse: BigInt, countRecords: true })
    const rows: string[] = []
    for await (const batch of source.read({ onProgress: (progress) => told.push(progress) }))
      rows.push(...batch.rows)
    expect(rows).toEqual(['9007199254740993', '1'])
    expect(told).toEqual([{ records: 2, totalRecords: 2 }])
  })
})
