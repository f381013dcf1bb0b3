import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { glueColumnsOf, glueTypeOf } from '../../src/glue/parquet-column-type.ts'
import { type ParquetField, readParquetFooter } from '../../src/glue/parquet-footer.ts'

const tradesFile = fileURLToPath(
  new URL('../golden/data/trades/dt=2024-03-08/part-0.parquet', import.meta.url),
)
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'footer-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('Parquet footer', () => {
  it('gives rows and Glue columns of a real file', async () => {
    const footer = await readParquetFooter(tradesFile)
    expect(footer.rowCount).toBe(40)
    expect(glueColumnsOf(footer.fields)).toEqual([
      { Name: 'id', Type: 'bigint' },
      { Name: 'ts', Type: 'timestamp' },
      { Name: 'symbol', Type: 'string' },
      { Name: 'price', Type: 'double' },
      { Name: 'px', Type: 'decimal(18,4)' },
      { Name: 'size', Type: 'bigint' },
      { Name: 'side', Type: 'string' },
      { Name: 'meta', Type: 'string' },
      { Name: 'tags', Type: 'array<string>' },
      { Name: 'attrs', Type: 'map<string,double>' },
    ])
  })

  it('refuses a file cut at any place, without another kind of failure', async () => {
    const whole = await readFile(tradesFile)
    for (const length of [0, 4, 11, 12, 500, whole.length - 1]) {
      const path = join(directory, `cut-${length}`)
      await writeFile(path, whole.subarray(0, length))
      await expect(readParquetFooter(path)).rejects.toMatchObject({ name: 'NotParquetError' })
    }
  })

  it('refuses a footer of garbage', async () => {
    const path = join(directory, 'garbage')
    const footer = Buffer.alloc(64, 0xf9)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(footer.length)
    await writeFile(path, Buffer.concat([Buffer.from('PAR1'), footer, length, Buffer.from('PAR1')]))
    await expect(readParquetFooter(path)).rejects.toMatchObject({ name: 'NotParquetError' })
  })
})

describe('Glue type of a Parquet field', () => {
  const field = (rest: Partial<ParquetField>): ParquetField => ({
    name: 'c',
    repetition: 'OPTIONAL',
    children: [],
    ...rest,
  })
  const integer = (bits: number, signed: boolean): ParquetField =>
    field({ physicalType: bits === 64 ? 'INT64' : 'INT32', annotation: { name: 'INTEGER', bits, signed } })

  it.each([
    [field({ physicalType: 'BOOLEAN' }), 'boolean'],
    [field({ physicalType: 'INT32' }), 'int'],
    [field({ physicalType: 'INT96' }), 'timestamp'],
    [field({ physicalType: 'FLOAT' }), 'float'],
    [field({ physicalType: 'BYTE_ARRAY' }), 'binary'],
    [field({ physicalType: 'INT32', annotation: { name: 'DATE' } }), 'date'],
    [field({ physicalType: 'INT64', annotation: { name: 'TIME' } }), 'bigint'],
    [field({ physicalType: 'BYTE_ARRAY', annotation: { name: 'JSON' } }), 'string'],
    [integer(8, true), 'tinyint'],
    [integer(16, true), 'smallint'],
    [integer(16, false), 'int'],
    [
      field({
        children: [
          field({ name: 'A', physicalType: 'INT64' }),
          field({ name: 'b', repetition: 'REPEATED', physicalType: 'DOUBLE' }),
        ],
      }),
      'struct<a:bigint,b:array<double>>',
    ],
  ])('is the one Athena reads (%#)', (given, expected) => {
    expect(glueTypeOf(given)).toBe(expected)
  })

  it('refuses unsigned 32 and 64 bits, which Athena reads as negative', () => {
    expect(() => glueTypeOf(integer(32, false))).toThrowError(/'c' is UINT_32/)
    expect(() => glueTypeOf(integer(64, false))).toThrowError(/'c' is UINT_64/)
  })
})
