// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Glue writes location templates so.
import { describe, expect, it } from 'vitest'
import { escapePathName } from '../../src/glue/hive-path.ts'
import type { ResolvedTable } from '../../src/sql/query-engine.ts'
import { descriptor, ResolverLake } from './resolver-lake.ts'

const lake = new ResolverLake()

describe('partition projection', () => {
  const projected = (keys: readonly (readonly [string, string])[], properties: Record<string, string>) =>
    lake.createTable(keys, {
      'projection.enabled': 'true',
      ...Object.fromEntries(
        Object.entries(properties).map(([name, value]) => [
          name.startsWith('storage') ? name : `projection.${name}`,
          value,
        ]),
      ),
    })
  /** The values tried, whether or not there are files. */
  async function values(): Promise<string[]> {
    const tried: string[] = []
    await lake.files((given) => {
      tried.push(given.join('/'))
      return false
    })
    return tried
  }

  it('ignores registered partitions and reads only files within its values', async () => {
    projected(
      [
        ['dt', 'string'],
        ['ticker', 'string'],
      ],
      {
        'dt.type': 'date',
        'dt.format': 'yyyy-MM-dd',
        'dt.range': 'NOW-2DAYS,NOW',
        'ticker.type': 'enum',
        'ticker.values': 'BRK.B,p:q',
      },
    )
    await lake.put('bars/dt=2024-03-30/ticker=p%3Aq/a.parquet')
    await lake.put('bars/dt=2024-03-28/ticker=BRK.B/b.parquet')
    lake.catalog.createPartitions('market', 'bars', [
      {
        Values: ['2024-03-28', 'BRK.B'],
        StorageDescriptor: descriptor('s3://lake/bars/dt=2024-03-28/ticker=BRK.B/'),
      },
    ])
    expect(await lake.files()).toEqual([
      ['s3://lake/bars/dt=2024-03-30/ticker=p%3Aq/a.parquet', '2024-03-30', 'p:q'],
    ])
    expect(await values()).toEqual(
      ['29', '30', '31'].flatMap((day) => [`2024-03-${day}/BRK.B`, `2024-03-${day}/p:q`]),
    )
  })

  it.each([
    ['string', { type: 'integer', range: '-1,2', digits: '3' }, ['-001', '000', '001', '002']],
    ['int', { type: 'integer', range: '008,12', digits: '3', interval: '2' }, ['8', '10', '12']],
    ['string', { type: 'enum', values: 'a, b' }, ['a', ' b']],
    [
      'string',
      { type: 'date', format: 'yyyy-MM', range: 'NOW-2MONTHS,NOW' },
      ['2024-01', '2024-02', '2024-03'],
    ],
    [
      'string',
      { type: 'date', format: 'yyyy/MM/dd', range: '2024/02/28,2024/03/01' },
      ['2024/02/28', '2024/02/29', '2024/03/01'],
    ],
    ['date', { type: 'date', format: 'yyyyMMdd', range: '20240101,20240102' }, ['2024-01-01', '2024-01-02']],
    [
      'string',
      { type: 'date', format: 'yyyy', range: 'NOW-1YEARS,NOW', interval: '1', 'interval.unit': 'YEARS' },
      ['2023', '2024'],
    ],
    [
      'string',
      {
        type: 'date',
        format: "yyyy-MM-dd'T'HH",
        range: 'NOW-1HOURS, NOW + 1 HOUR',
        interval: '1',
        'interval.unit': 'HOURS',
      },
      ['2024-03-31T11', '2024-03-31T12', '2024-03-31T13'],
    ],
    [
      'string',
      {
        type: 'date',
        format: 'yyyy-MM-dd',
        range: '2024-01-31,2024-03-31',
        interval: '1',
        'interval.unit': 'MONTHS',
      },
      ['2024-01-31', '2024-02-29', '2024-03-31'],
    ],
    [
      'string',
      {
        type: 'date',
        format: 'yyyy-MM-dd',
        range: 'NOW-3WEEKS,NOW',
        interval: '1',
        'interval.unit': 'WEEKS',
      },
      ['2024-03-10', '2024-03-17', '2024-03-24', '2024-03-31'],
    ],
    [
      'string',
      {
        type: 'date',
        format: 'yyyy-MM-dd',
        range: '2024-01-01,2024-01-10',
        interval: '4',
        'interval.unit': 'days',
      },
      ['2024-01-01', '2024-01-05', '2024-01-09'],
    ],
    [
      'bigint',
      { type: 'integer', range: '9223372036854775806,9223372036854775807' },
      ['9223372036854775806', '9223372036854775807'],
    ],
    ['string', { type: 'INTEGER', range: '-2, 2', interval: '2', digits: '2' }, ['-02', '00', '02']],
  ])('of a %s key with %j gives %j', async (type, properties, expected) => {
    const named = Object.entries(properties).map(([name, value]) => [`k.${name}`, value as string])
    projected([['k', type]], Object.fromEntries(named))
    expect(await values()).toEqual(expected)
  })

  it.each([
    ['NOW-2YEARS,NOW', 'yyyy', 'YEARS', ['2022', '2023', '2024']],
    ['NOW-1MONTH,NOW+1MONTHS', 'yyyy-MM', 'MONTHS', ['2024-02', '2024-03', '2024-04']],
    ['NOW-2WEEKS,NOW', 'yyyyMMdd', 'WEEKS', ['20240317', '20240324', '20240331']],
    [' NOW - 1 DAYS , NOW ', 'd/M/yyyy', 'DAYS', ['30/3/2024', '31/3/2024']],
    ['NOW-1HOURS,now', 'yyyy-MM-dd HH', 'HOURS', ['2024-03-31 11', '2024-03-31 12']],
    ['NOW-90MINUTES,NOW', 'HH:mm dd.MM.uuuu', 'HOURS', ['11:00 31.03.2024', '12:00 31.03.2024']],
    ['NOW-1MINUTE,NOW', "yyyyMMdd'T'HHmm", 'MINUTES', ['20240331T1229', '20240331T1230']],
    [
      'NOW-2SECONDS,NOW',
      'yyyy-MM-dd-HH-mm-ss',
      'SECONDS',
      ['2024-03-31-12-29-58', '2024-03-31-12-29-59', '2024-03-31-12-30-00'],
    ],
    [
      '2024-01-01 00:00:00.000,2024-01-01 00:00:00.001',
      'yyyy-MM-dd HH:mm:ss.SSS',
      'MILLISECONDS',
      ['2024-01-01 00:00:00.000', '2024-01-01 00:00:00.001'],
    ],
  ])('of the range %s in the format %s by %s gives %j', async (range, format, unit, expected) => {
    const date = { 'k.type': 'date', 'k.range': range, 'k.format': format, 'k.interval': '1' }
    projected([['k', 'string']], { ...date, 'k.interval.unit': unit })
    expect(await values()).toEqual(expected)
  })

  it('places padded integers in the location and plain ones in the column', async () => {
    projected([['shard', 'int']], { 'shard.type': 'integer', 'shard.range': '1,3', 'shard.digits': '4' })
    await lake.put('bars/shard=0002/a.parquet')
    expect(await lake.files()).toEqual([['s3://lake/bars/shard=0002/a.parquet', '2']])
  })

  it('puts values raw into a location template', async () => {
    projected([['dt', 'string']], {
      'dt.type': 'date',
      'dt.format': 'yyyy/MM/dd',
      'dt.range': '2024/01/01,NOW',
      'storage.location.template': 's3://lake/by-day/${dt}/',
    })
    await lake.put('by-day/2024/02/29/a.parquet')
    expect(await lake.files(([dt]) => dt === '2024/02/29')).toEqual([
      ['s3://lake/by-day/2024/02/29/a.parquet', '2024/02/29'],
    ])
  })

  const hugeKeys = [
    ['at', 'string'],
    ['shard', 'int'],
  ] as const
  const huge = {
    'at.type': 'date',
    'at.format': 'yyyy-MM-dd-HH-mm-ss',
    'at.range': 'NOW-50DAYS,NOW',
    'at.interval': '1',
    'at.interval.unit': 'SECONDS',
    'shard.type': 'integer',
    'shard.range': '0,999999',
    'shard.interval': '1',
  }

  it('thinks only of the values that the query names, of however many there are', async () => {
    projected(hugeKeys, huge)
    await lake.put('bars/at=2024-03-31-12-00-00/shard=7/a.parquet')
    const table = (await lake.resolve()) as ResolvedTable
    const asked = ['2024-03-31-12-00-00', '7']
    const found = await table.listFiles(
      (values) => values.every((value, at) => value === asked[at]),
      (key, value) => value === asked[key],
    )
    expect(found.map((file) => file.partitionValues)).toEqual([asked])
    await expect(lake.files()).rejects.toMatchObject({
      message:
        "HIVE_EXCEEDED_PARTITION_LIMIT: Query over table 'market.bars' can potentially read more than 1000000 partitions",
    })
  }, 60_000)

  it('is stopped while it thinks of values, and while it lists files', async () => {
    projected(hugeKeys, huge)
    const stopped = new AbortController()
    lake.signal = stopped.signal
    const table = (await lake.resolve()) as ResolvedTable
    const listing = table.listFiles(
      () => true,
      () => false,
    )
    stopped.abort(new Error('stopped by the test'))
    await expect(listing).rejects.toThrowError('stopped by the test')
    lake.catalog.deleteTable('market', 'bars')
    lake.createTable([])
    await lake.put('bars/a.parquet')
    await expect(lake.files()).rejects.toThrowError('stopped by the test')
  }, 60_000)

  const odd = ['a b+c%', 'x=y', 'p:q', 'é/ü', "q'", '"*?#[]^{}', '__x', '100%25', 'BRK.B']
  it('finds values of any characters at the folders Hive names by them', async () => {
    projected([['s', 'string']], { 's.type': 'enum', 's.values': odd.join(',') })
    for (const value of odd) await lake.put(`bars/s=${escapePathName(value)}/a.parquet`)
    const found = await lake.files()
    expect(found?.map(([, value]) => value).sort()).toEqual(odd.toSorted())
    for (const [uri, value] of found ?? []) {
      expect(uri).toBe(`s3://lake/bars/s=${escapePathName(value ?? '')}/a.parquet`)
    }
  })

  it('finds values of any characters at the folders a template names by them', async () => {
    projected([['s', 'string']], {
      's.type': 'enum',
      's.values': odd.join(','),
      'storage.location.template': 's3://lake/by/${s}/',
    })
    for (const value of odd) await lake.put(`by/${value}/a.parquet`)
    const found = await lake.files()
    expect(found?.map(([uri, value]) => `${uri} ${value}`).sort()).toEqual(
      odd.map((value) => `s3://lake/by/${value}/a.parquet ${value}`).sort(),
    )
  })

  it('takes injected values that the query names, and refuses a query that does not', async () => {
    projected(
      [
        ['symbol', 'string'],
        ['dt', 'string'],
      ],
      {
        'symbol.type': 'injected',
        'dt.type': 'date',
        'dt.format': 'yyyy-MM-dd',
        'dt.range': '2024-01-01,2024-01-02',
        'storage.location.template': 's3://lake/ticks/${symbol}/${dt}/',
      },
    )
    const unbound =
      /CONSTRAINT_VIOLATION: For the injected projected partition column symbol, the WHERE clause/
    await expect(lake.files()).rejects.toThrowError(unbound)
    await lake.put('ticks/AAPL/2024-01-01/a.parquet')
    await lake.put('ticks/MSFT/2024-01-02/b.parquet')
    expect(await lake.files(([symbol]) => symbol === 'AAPL')).toEqual([
      ['s3://lake/ticks/AAPL/2024-01-01/a.parquet', 'AAPL', '2024-01-01'],
    ])
    expect(await lake.files(([symbol]) => ['AAPL', 'MSFT', 'X'].includes(symbol ?? ''))).toHaveLength(2)
    expect(await lake.files(([symbol]) => symbol === 'X')).toEqual([])
    await expect(lake.files()).rejects.toThrowError(unbound)
    await expect(lake.files(([symbol]) => (symbol ?? '') > 'A')).rejects.toThrowError(unbound)
    await expect(lake.files(([symbol]) => (symbol ?? '').startsWith('A'))).rejects.toThrowError(unbound)
  })

  it('looks for injected values in a bucket that the template names', async () => {
    projected([['k', 'string']], {
      'k.type': 'injected',
      'storage.location.template': 's3://lake-${k}/bars/',
    })
    await expect(lake.files(([k]) => k === 'a')).rejects.toThrowError(
      /HIVE_METASTORE_ERROR: .*name the bucket/,
    )
  })

  const day = { 'k.type': 'date', 'k.format': 'yyyy-MM-dd', 'k.range': 'NOW-1DAYS,NOW' }
  it.each([
    [
      {},
      /market.bars is configured for partition projection, but the following partition columns are missing projection configuration: \[k\]/,
    ],
    [{ 'k.type': 'hash' }, /projection\.k\.type 'hash' must be/],
    [{ ...day, 'k.type': 'enum' }, /projection\.k\.format 'yyyy-MM-dd' is not a property of the type enum/],
    [{ ...day, 'k.zone': 'UTC' }, /projection\.k\.zone 'UTC' is not a property/],
    [{ ...day, 'other.type': 'enum' }, /projection\.other\.type names no partition column/],
    [{ ...day, 'k.format': 'yyyy-MMM-dd' }, /the pattern 'MMM'/],
    [{ ...day, 'k.range': 'NOW,NOW-1DAYS' }, /must be two dates in order/],
    [{ ...day, 'k.range': '2024-02-30,NOW' }, /must be two dates in order/],
    [{ ...day, 'k.range': 'NOW-1FORTNIGHTS,NOW' }, /must be two dates/],
    [{ ...day, 'k.interval': '2' }, /interval\.unit is required with an interval/],
    [{ ...day, 'k.format': 'yyyy-MM-dd-HH' }, /interval\.unit is required unless/],
    [{ 'k.type': 'integer', 'k.range': '5' }, /projection\.k\.range '5' must be/],
    [{ 'k.type': 'integer' }, /projection\.k\.range is required/],
    [{ 'k.type': 'integer', 'k.range': '0,9223372036854775808' }, /goes beyond 64 bits/],
    [{ 'k.type': 'integer', 'k.range': '2,1' }, /two integers in order/],
    [{ 'k.type': 'integer', 'k.range': '1,2', 'k.interval': '0' }, /interval '0' must be a positive/],
    [{ 'k.type': 'integer', 'k.range': '1,2', 'k.digits': 'x' }, /digits 'x' must be a positive/],
    [{ 'k.type': 'enum' }, /projection\.k\.values is required/],
    [{ 'k.type': 'injected', 'k.values': 'a' }, /values 'a' is not a property of the type injected/],
    [
      { ...day, 'k.interval': '1', 'k.interval.unit': 'FORTNIGHTS' },
      /interval\.unit 'FORTNIGHTS' must be one/,
    ],
    [{ ...day, 'k.format': 'yyyy' }, /interval\.unit is required unless/],
    [{ ...day, 'storage.location.template': 's3://lake/${x}/' }, /names \$\{x\}/],
    [
      { ...day, 'storage.location.template': 's3://lake/all/' },
      /missing the partition column placeholder \$\{k\}/,
    ],
    [{ ...day, 'storage.location.template': 's3://lake/${k}' }, /does not end with '\/'/],
  ])('fails as HIVE_METASTORE_ERROR for %j', async (properties, message) => {
    projected([['k', 'string']], properties as Record<string, string>)
    await expect(lake.files()).rejects.toMatchObject({
      errorName: 'HIVE_METASTORE_ERROR',
      message: expect.stringMatching(message),
    })
  })
})
