import { expect } from 'vitest'
import type { CaseAthena } from './case-athena.ts'
import { addPartitions, days, type MarketTable, placeOfDays, tableOfDays } from './market-tables.ts'

/** What leaves the second day of three. */
const predicates: Readonly<Record<string, string>> = {
  'equal to a value': "dt = '2024-03-09'",
  'among values': "dt IN ('2024-03-09', '2024-04-01')",
  'between values': "dt BETWEEN '2024-03-09' AND '2024-03-09'",
  'above and below': "dt > '2024-03-08' AND dt < '2024-03-10'",
  'a value or another that none has': "dt = '2024-03-09' OR dt = 'x'",
  'like a pattern': "dt LIKE '%-09'",
  'computed from it': "substr(dt, 9) = '09'",
  'cast to a date': "cast(dt AS date) = date '2024-03-09'",
  'beside a column of the files': "dt = '2024-03-09' AND size > 0",
}

export const describePartitionPruning = (athena: CaseAthena): void => {
  athena.concept('partition pruning', (it) => {
    let made: Promise<MarketTable> | undefined
    const table = () => (made ??= makeTable())
    const makeTable = async () => {
      const place = await placeOfDays(athena)
      const ticks = await tableOfDays(athena, place)
      await addPartitions(
        athena,
        ticks,
        days.map((day) => ({ values: [day], location: `${place}dt=${day}/` })),
      )
      return ticks
    }

    let all: Promise<{ readonly bytes: number }> | undefined
    const sql = 'SELECT sum(size), count(DISTINCT "$path") FROM ticks'
    for (const [title, predicate] of Object.entries(predicates)) {
      it(`reads one day where the key is ${title}`, async () => {
        const { database } = await table()
        const whole = await (all ??= athena.scan(sql, { database }))
        const { bytes, rows } = await athena.scan(`${sql} WHERE ${predicate}`, { database })
        expect(rows).toEqual([['22', '1']])
        expect(bytes).toBeGreaterThan(0)
        expect(bytes).toBeLessThan(whole.bytes / 2)
      })
    }

    it('reads nothing where the key has none of the values', async () => {
      const { database } = await table()
      const sum = "SELECT sum(size) AS s FROM ticks WHERE dt = 'x'"
      expect(await athena.scan(sum, { database })).toEqual({ bytes: 0, rows: [[null]] })
    })

    it('reads one day by a parameter', async () => {
      const { database } = await table()
      const asked = { database, ExecutionParameters: ["'2024-03-09'"] }
      expect(await athena.rows('SELECT sum(size) FROM ticks WHERE dt = ?', asked)).toEqual([['22']])
    })

    it('compares keys as what they are: numbers and dates', async () => {
      const place = await placeOfDays(athena)
      const { database, table: name } = await tableOfDays(athena, place, { keys: 'n int, day date' })
      const values = [
        ['9', '2024-03-08'],
        ['10', '2024-03-09'],
        ['010', '2024-03-10'],
      ]
      await addPartitions(
        athena,
        { database, table: name },
        values.map((each) => ({ values: each, location: `${place}dt=${each[1]}/` })),
      )
      const daysWhere = async (predicate: string) =>
        (
          await athena.rows(`SELECT DISTINCT day FROM ticks WHERE ${predicate} ORDER BY 1`, { database })
        ).flat()
      expect(await daysWhere('n = 10')).toEqual(['2024-03-09', '2024-03-10'])
      expect(await daysWhere('n < 10')).toEqual(['2024-03-08'])
      expect(await daysWhere("day >= date '2024-03-09' AND n > 1")).toEqual(['2024-03-09', '2024-03-10'])
    })

    it('names the file of each row', async () => {
      const { database } = await table()
      const place = await placeOfDays(athena)
      const paths = await athena.rows('SELECT DISTINCT dt, "$path" FROM ticks ORDER BY 1', { database })
      expect(paths.map(([day, path]) => path?.startsWith(`${place}dt=${day}/`))).toEqual([true, true, true])
    })
  })
}
