import { expect } from 'vitest'
import type { CaseAthena } from './case-athena.ts'
import { addPartitions, days, placeOfDays, tableOfDays } from './market-tables.ts'

const dates = (more: Readonly<Record<string, string>> = {}) => ({
  'projection.enabled': 'true',
  'projection.dt.type': 'date',
  'projection.dt.format': 'yyyy-MM-dd',
  'projection.dt.range': '2024-03-08,2024-03-31',
  ...more,
})

/** Today, even where midnight passes meanwhile: a range from two days ago holds it. */
const startMillis = Date.now()

/** Where a template has the value of a key. */
const value = (key: string) => `\${${key}}`

export const describePartitionProjection = (athena: CaseAthena): void => {
  athena.concept('partition projection', (it) => {
    const sums = async (
      properties: Readonly<Record<string, string>>,
      { place, keys = 'dt string', where = 'true' }: { place?: string; keys?: string; where?: string } = {},
    ) => {
      const key = keys.split(' ', 1)[0]
      const { database } = await tableOfDays(athena, place ?? (await placeOfDays(athena)), {
        keys,
        properties,
      })
      return athena.rows(
        `SELECT ${key}, sum(size) FROM ticks WHERE ${where} GROUP BY ${key} ORDER BY ${key}`,
        {
          database,
        },
      )
    }

    const day = (ago: number) => new Date(startMillis - ago * 86_400_000).toISOString().slice(0, 10)
    let recentMade: Promise<string> | undefined
    const recent = () => (recentMade ??= makeRecent())
    /** A row of today and one of nine days ago. */
    const makeRecent = async () => {
      const place = athena.place()
      for (const ago of [0, 9])
        await athena.write(`${place}dt=${day(ago)}/`, "SELECT 'AAPL' AS symbol, 7 AS size")
      return place
    }
    const enumeration = (values: string) => ({
      'projection.enabled': 'true',
      'projection.dt.type': 'enum',
      'projection.dt.values': values,
    })

    it('of dates reads days that no catalog has, and those of the range only', async () => {
      expect(await sums(dates())).toEqual([
        ['2024-03-08', '11'],
        ['2024-03-09', '22'],
        ['2024-03-10', '33'],
      ])
      expect(await sums(dates({ 'projection.dt.range': '2024-03-09,2024-03-10' }))).toEqual([
        ['2024-03-09', '22'],
        ['2024-03-10', '33'],
      ])
    })

    it('of dates reads only what the predicate leaves', async () => {
      const { database } = await tableOfDays(athena, await placeOfDays(athena), { properties: dates() })
      const sum = 'SELECT sum(size) FROM ticks'
      const all = await athena.scan(sum, { database })
      const one = await athena.scan(`${sum} WHERE dt = '2024-03-09'`, { database })
      expect([all.rows, one.rows]).toEqual([[['66']], [['22']]])
      expect(one.bytes).toBeGreaterThan(0)
      expect(one.bytes).toBeLessThan(all.bytes / 2)
      expect(await athena.rows("SELECT * FROM ticks WHERE dt = '2023-01-01'", { database })).toEqual([])
    })

    it('of dates steps by its interval', async () => {
      const properties = dates({ 'projection.dt.interval': '2', 'projection.dt.interval.unit': 'DAYS' })
      expect(await sums(properties)).toEqual([
        ['2024-03-08', '11'],
        ['2024-03-10', '33'],
      ])
    })

    it('of dates counts days from now', async () => {
      expect(
        await sums(dates({ 'projection.dt.range': 'NOW-2DAYS,NOW' }), { place: await recent() }),
      ).toEqual([[day(0), '7']])
    })

    it('of dates counts months from now', async () => {
      expect(
        await sums(dates({ 'projection.dt.range': 'NOW-1MONTHS,NOW' }), { place: await recent() }),
      ).toEqual([
        [day(9), '7'],
        [day(0), '7'],
      ])
    })

    it('of an enumeration has its values', async () => {
      expect(await sums(enumeration('2024-03-08,2024-03-10,none'))).toEqual([
        ['2024-03-08', '11'],
        ['2024-03-10', '33'],
      ])
    })

    it('of an enumeration has values with blanks where they are written so', async () => {
      expect(await sums(enumeration('2024-03-08, 2024-03-10'))).toEqual([['2024-03-08', '11']])
    })

    it('of integers counts through a range, and pads', async () => {
      const place = await placeOfDays(athena)
      const integers = {
        'projection.enabled': 'true',
        'projection.day.type': 'integer',
        'projection.day.range': '1,31',
        'projection.day.digits': '2',
        'storage.location.template': `${place}dt=2024-03-${value('day')}/`,
      }
      expect(await sums(integers, { keys: 'day int', where: 'day > 8' })).toEqual([
        ['9', '22'],
        ['10', '33'],
      ])
      const every = { ...integers, 'projection.day.interval': '7' }
      expect(await sums(every, { keys: 'day int' })).toEqual([['8', '11']])
    })

    it('is of as many keys as the table has, each of a kind of its own', async () => {
      const place = await placeOfDays(athena)
      const keys = 'dt string, folder string'
      const properties = (template: string) =>
        dates({
          'projection.folder.type': 'enum',
          'projection.folder.values': 'dt,nowhere',
          'storage.location.template': `${place}${template}/`,
        })
      const { database } = await tableOfDays(athena, place, {
        keys,
        properties: properties(`${value('folder')}=${value('dt')}`),
      })
      const sql =
        "SELECT folder, dt, sum(size) FROM ticks WHERE dt > '2024-03-08' GROUP BY folder, dt ORDER BY dt"
      expect(await athena.rows(sql, { database })).toEqual([
        ['dt', '2024-03-09', '22'],
        ['dt', '2024-03-10', '33'],
      ])
      const lacking = await tableOfDays(athena, place, { keys, properties: properties(`dt=${value('dt')}`) })
      expect(await athena.failure(sql, { database: lacking.database })).toMatch(/folder/)
    })

    it('of injected values reads what a query says', async () => {
      const injected = { 'projection.enabled': 'true', 'projection.dt.type': 'injected' }
      expect(await sums(injected, { where: "dt = '2024-03-09'" })).toEqual([['2024-03-09', '22']])
      expect(await sums(injected, { where: "dt = 'none'" })).toEqual([])
    })

    it('of injected values must be told one', async () => {
      const { database } = await tableOfDays(athena, await placeOfDays(athena), {
        properties: { 'projection.enabled': 'true', 'projection.dt.type': 'injected' },
      })
      expect(await athena.failure('SELECT * FROM ticks', { database })).toMatch(
        /^CONSTRAINT_VIOLATION: For the injected projected partition column dt, the WHERE clause must contain only static equality conditions/,
      )
    })

    it('passes over the partitions of the catalog, which are all that SHOW PARTITIONS lists', async () => {
      const place = await placeOfDays(athena)
      const ticks = await tableOfDays(athena, place, { properties: dates() })
      await addPartitions(athena, ticks, [{ values: ['2024-03-11'], location: `${place}dt=${days[0]}/` }])
      const { database } = ticks
      expect(await athena.rows("SELECT * FROM ticks WHERE dt = '2024-03-11'", { database })).toEqual([])
      expect(await athena.lines('SHOW PARTITIONS ticks', { database })).toEqual(['dt=2024-03-11'])
    })

    it('that is not enabled is none', async () => {
      expect(await sums(dates({ 'projection.enabled': 'false' }))).toEqual([])
    })

    it('that says nothing of a key is refused', async () => {
      const { database } = await tableOfDays(athena, await placeOfDays(athena), {
        properties: { 'projection.enabled': 'true' },
      })
      expect(await athena.failure('SELECT * FROM ticks', { database })).toMatch(/dt/)
    })
  })
}
