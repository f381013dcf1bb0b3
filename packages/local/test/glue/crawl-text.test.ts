import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { csvSchemaOf } from '../../src/glue/crawl-csv.ts'
import { jsonSchemaOf } from '../../src/glue/crawl-json.ts'
import { commonType } from '../../src/glue/crawl-type.ts'
import { startCrawlers } from './crawler-fixture.ts'

const csv = (text: string) => {
  const schema = csvSchemaOf(text.split('\n'))
  return schema && { ...schema, columns: schema.columns.map(({ Name, Type }) => `${Name} ${Type}`) }
}
const json = (text: string, whole?: string) => {
  const schema = jsonSchemaOf(text.split('\n'), whole)
  return schema?.columns.map(({ Name, Type }) => `${Name} ${Type}`)
}

describe('a sample of CSV', () => {
  it.each([
    [',', 'Symbol,Price,Size\nA,1.5,100\nB,2,200'],
    ['|', 'Symbol|Price|Size\nA|1.5|100\nB|2|200'],
    ['\t', 'Symbol\tPrice\tSize\nA\t1.5\t100\nB\t2\t200'],
    [';', 'Symbol;Price;Size\nA;1,5;100\nB;2,0;200'],
    ['\u0001', 'Symbol\u0001Price\u0001Size\nA\u00011.5\u0001100\nB\u00012\u0001200'],
  ])('has the delimiter %j and a header of strings', (delimiter, text) => {
    expect(csv(text)).toMatchObject({ delimiter, hasHeader: true })
    expect(csv(text)?.columns[2]).toBe('size bigint')
  })

  it.each([
    ['the first row has a number', 'A,1\nB,2', ['col0 string', 'col1 bigint']],
    ['all columns are strings', 'name,venue\nA,X\nB,Y', ['col0 string', 'col1 string']],
    ['two names are the same', 'a,a\n1,2', ['col0 string', 'col1 string']],
    ['a name is empty', 'a,,c\n1,2,3', ['col0 string', 'col1 bigint', 'col2 string']],
    ['a name has 150 characters', `${'a'.repeat(150)},b\n1,2`, ['col0 string', 'col1 string']],
  ])('has no header when %s', (_, text, columns) => {
    expect(csv(text)).toEqual({ delimiter: ',', hasHeader: false, columns })
  })

  it('takes the type that all cells of a column have, and strings for what they have not', () => {
    const text = [
      'a,b,c,d,e,f,g',
      '1,1,true,x,,2024-01-02,"1"',
      '-2,2.5e3,FALSE,1,,2024-01-03,"2"',
      ',99999999999999999999,true,2,,,"3"',
    ].join('\n')
    expect(csv(text)?.columns).toEqual([
      'a bigint',
      'b double',
      'c boolean',
      'd string',
      'e string',
      'f string',
      'g string',
    ])
  })

  it('finds delimiters outside of quotes only, and an empty last column', () => {
    expect(csv('name,size,\n"Smith, ""J""",1,\n"b",2,')?.columns).toEqual([
      'name string',
      'size bigint',
      'col2 string',
    ])
  })

  it.each([['one line\nof text'], ['a,b'], ['a,b\n1,2,3']])('is none: %j', (text) => {
    expect(csv(text)).toBeUndefined()
  })
})

describe('a sample of JSON', () => {
  it('has the columns of all its lines, numbers by their text', () => {
    const lines = [
      '{"Id":1,"px":1.0,"big":3000000000,"none":null,"text":"12","flag":true,"list":[]}',
      '{"Id":2,"px":2,"more":{"venue":{"Name":"X"},"sizes":[1,2.5]},"list":[{"a":null}]}',
      '{"Id":3,"more":{"venue":{"mic":"XNAS"},"at":99999999999999999999}}',
    ]
    expect(json(lines.join('\n'))).toEqual([
      'id int',
      'px double',
      'big bigint',
      'none string',
      'text string',
      'flag boolean',
      'list array<struct<a:string>>',
      'more struct<venue:struct<name:string,mic:string>,sizes:array<double>,at:double>',
    ])
  })

  it('has strings where values of two kinds meet', () => {
    expect(json('{"a":1,"b":{"c":1}}\n{"a":"x","b":[1]}')).toEqual(['a string', 'b string'])
  })

  it('may be one object or one array over many lines', () => {
    const text = '{\n  "a": 1\n}'
    expect(json(text, text)).toEqual(['a int'])
    const list = '[\n {"a": 1},\n {"a": 2, "b": "x"}\n]'
    expect(json(list, list)).toEqual(['array array<struct<a:int,b:string>>'])
    // Of a part of a file nobody knows how it goes on.
    expect(json(list, undefined)).toBeUndefined()
  })

  it('refuses nested names that the text of a type cannot hold', () => {
    expect(() => json('{"a":{"b,c":1}}')).toThrow('b,c')
  })
})

describe('a type that reads two', () => {
  it.each([
    ['int', 'bigint', 'bigint'],
    ['float', 'double', 'double'],
    ['struct<a:int>', 'struct<a:bigint,b:string>', 'struct<a:bigint,b:string>'],
    ['array<struct<a:decimal(10,2)>>', 'array<struct<b:int>>', 'array<struct<a:decimal(10,2),b:int>>'],
    ['map<string,int>', 'map<string,bigint>', 'map<string,bigint>'],
    ['int', 'double', undefined],
    ['int', 'string', undefined],
    ['struct<a:int>', 'struct<a:string>', undefined],
    ['decimal(10,2)', 'decimal(12,2)', undefined],
  ])('%s and %s: %s', (left, right, expected) => {
    expect(commonType(left, right)).toBe(expected)
  })
})

describe('a crawler of text', () => {
  it('makes a table of CSV for LazySimpleSerDe, which the local Athena refuses by name', async () => {
    await using crawlers = await startCrawlers()
    await crawlers.put('raw/dt=1/a.csv', 'Symbol;Price;Venue\nA;1.5;X\n')
    await crawlers.put('raw/dt=2/b.csv', 'symbol;price;venue;size\nB;2;Y;7\n')
    await crawlers.create()
    expect(await crawlers.run()).toMatchObject({ Status: 'SUCCEEDED' })
    expect(crawlers.columns('raw')).toEqual(['symbol string', 'price double', 'venue string', 'size bigint'])
    const table = crawlers.glue.catalog.requireTable('market', 'raw')
    expect(table).toMatchObject({
      PartitionKeys: [{ Name: 'dt', Type: 'string' }],
      Parameters: {
        classification: 'csv',
        compressionType: 'none',
        delimiter: ';',
        'skip.header.line.count': '1',
        areColumnsQuoted: 'false',
        typeOfData: 'file',
      },
      StorageDescriptor: {
        InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
        SerdeInfo: {
          SerializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe',
          Parameters: { 'field.delim': ';' },
        },
      },
    })
    const first = crawlers.glue.catalog.getPartition('market', 'raw', ['1'])
    expect(first?.StorageDescriptor?.Columns).toHaveLength(3)
  })

  it('makes a table of gzip JSON lines, and reads only the beginning of a large file', async () => {
    await using crawlers = await startCrawlers()
    const line = '{"Symbol":"A","px":1.5}\n'
    await crawlers.put('raw/a.json.gz', gzipSync(`${line.repeat(200_000)}not JSON at all`))
    await crawlers.create()
    expect(await crawlers.run()).toMatchObject({ Status: 'SUCCEEDED' })
    expect(crawlers.columns('raw')).toEqual(['symbol string', 'px double'])
    expect(crawlers.glue.catalog.requireTable('market', 'raw')).toMatchObject({
      Parameters: { classification: 'json', compressionType: 'gzip' },
      StorageDescriptor: {
        Compressed: true,
        SerdeInfo: {
          SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
          Parameters: { paths: 'Symbol,px' },
        },
      },
    })
  })

  it.each([
    ['Avro', 'Obj\u0001xyz\u0000', /is an Avro file/],
    ['ORC', 'ORC\u0000', /is an ORC file/],
    ['bytes', '\u0000\u0001', /is neither Parquet nor CSV nor JSON/],
    ['prose', 'only words', /is neither Parquet nor CSV nor JSON/],
    ['damaged gzip', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]), /is gzip that cannot be inflated/],
  ])('fails and names a file of %s', async (_, body, message) => {
    await using crawlers = await startCrawlers()
    await crawlers.put('raw/a', body)
    await crawlers.create()
    expect(await crawlers.run()).toMatchObject({
      Status: 'FAILED',
      ErrorMessage: expect.stringMatching(message),
    })
    expect(crawlers.tables()).toEqual([])
  })

  it('fails when CSV of one table has its columns in another order', async () => {
    await using crawlers = await startCrawlers()
    await crawlers.put('raw/a.csv', 'a,b\n1,2\n')
    await crawlers.put('raw/b.csv', 'b,a\n1,2\n')
    await crawlers.create()
    expect(await crawlers.run()).toMatchObject({
      ErrorMessage: expect.stringContaining('CSV is read by position'),
    })
  })
})
