import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import { expect } from 'vitest'
import { type Asked, type CaseAthena, invalidRequest } from './case-athena.ts'

const reuse = (MaxAgeInMinutes?: number): Asked => ({
  ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes } },
})

export const describeResultReuse = (athena: CaseAthena): void => {
  athena.concept('result reuse', (it) => {
    const isReused = async (sql: string, asked: Asked) => {
      const { Statistics } = await athena.run(sql, asked)
      return Statistics?.ResultReuseInformation?.ReusedPreviousResult
    }
    /** A query that nobody else asks. */
    const question = () => `SELECT '${athena.name('reuse')}' AS x`

    it('gives the earlier result to the same question, and scans nothing', async () => {
      const sql = question()
      const first = await athena.run(sql, reuse())
      const again = await athena.run(sql, reuse())
      expect(first.Statistics?.ResultReuseInformation?.ReusedPreviousResult).toBe(false)
      expect(again.id).not.toBe(first.id)
      expect(again).toMatchObject({
        ResultConfiguration: first.ResultConfiguration,
        Statistics: { DataScannedInBytes: 0, ResultReuseInformation: { ReusedPreviousResult: true } },
      })
      expect(await athena.rows(sql, reuse())).toEqual(await athena.rows(sql))
    })

    it('is only where it is asked for', async () => {
      const sql = question()
      await athena.run(sql)
      expect(await isReused(sql, {})).toBe(false)
    })

    it('is not of another work group, database or parameter', async () => {
      const sql = `${question()} WHERE 1 < ?`
      const asked = (ExecutionParameters: string[], more: Asked = {}) => ({
        ...reuse(),
        ExecutionParameters,
        ...more,
      })
      await athena.run(sql, asked(['2']))
      expect(await isReused(sql, asked(['3']))).toBe(false)
      expect(await isReused(sql, asked(['2'], { database: await athena.database() }))).toBe(false)
      expect(await isReused(sql, asked(['2'], { WorkGroup: await athena.workGroup() }))).toBe(false)
      expect(await isReused(sql, asked(['2']))).toBe(true)
    })

    it('is not of what is another each time, nor of a result that is gone', async () => {
      const changing = `SELECT now(), '${athena.name('reuse')}'`
      await athena.run(changing, reuse())
      expect(await isReused(changing, reuse())).toBe(false)
      const sql = question()
      const { ResultConfiguration } = await athena.run(sql)
      const Key = (ResultConfiguration?.OutputLocation ?? '').slice('s3://results/'.length)
      await athena.s3.send(new DeleteObjectCommand({ Bucket: 'results', Key }))
      expect(await isReused(sql, reuse())).toBe(false)
    })

    it('is of a week at most', async () => {
      await expect(athena.start('SELECT 1', reuse(10_081))).rejects.toMatchObject(invalidRequest())
      await athena.run('SELECT 1', reuse(10_080))
    })
  })
}
