import { StartQueryExecutionCommand } from '@aws-sdk/client-athena'
import { expect } from 'vitest'
import { type CaseAthena, invalidRequest } from './case-athena.ts'

/** Statements that are none, and where they go wrong. */
const malformed: Readonly<Record<string, RegExp>> = {
  'SELEC 1': /line 1:1: mismatched input 'SELEC'/,
  '-- nothing': /mismatched input '<EOF>'/,
  'SELECT 1 FROM': /line 1:14: mismatched input '<EOF>'/,
  'SELECT (1': /line 1:10: mismatched input '<EOF>'/,
  'SELECT x FROM t ORDER BY x LIMIT 3 OFFSET 5': /line 1:36: mismatched input 'OFFSET'. Expecting: <EOF>/,
  'SELECT 1; SELECT 2': /Only one sql statement is allowed/,
  'INSERT t SELECT 1': /line 1:8: mismatched input 't'/,
  'CREATE VIEW AS SELECT 1': /line 1:\d+: mismatched input/,
}

export const describeStartQuery = (athena: CaseAthena): void => {
  athena.concept('starting a query', (it) => {
    for (const [sql, message] of Object.entries(malformed)) {
      it(`${sql} is refused as malformed`, async () => {
        await expect(athena.start(sql)).rejects.toMatchObject({
          ...invalidRequest('MALFORMED_QUERY'),
          message: expect.stringMatching(message),
        })
      })
    }

    it('ends with a semicolon or without, and begins with comments', async () => {
      expect(await athena.rows('-- one\n/* two */ SELECT 1 AS x -- three\n;')).toEqual([['1']])
    })

    it('twice with one client token is one query', async () => {
      const ClientRequestToken = `${athena.name('token')}-`.padEnd(32, 't')
      const first = await athena.start('SELECT 1', { ClientRequestToken })
      expect(await athena.start('SELECT 1', { ClientRequestToken })).toBe(first)
      await expect(athena.start('SELECT 2', { ClientRequestToken })).rejects.toMatchObject({
        ...invalidRequest(),
        message: expect.stringMatching(/Idempotent parameters do not match/),
      })
    })

    it('has a client token of 32 to 128 characters', async () => {
      for (const ClientRequestToken of ['t'.repeat(31), 't'.repeat(129)]) {
        await expect(athena.start('SELECT 1', { ClientRequestToken })).rejects.toMatchObject(invalidRequest())
      }
    })

    it('needs a place for its result that is there', async () => {
      const QueryString = 'SELECT 1'
      await expect(athena.client.send(new StartQueryExecutionCommand({ QueryString }))).rejects.toMatchObject(
        {
          ...invalidRequest(),
          message: expect.stringMatching(/^No output location provided. An output location is required/),
        },
      )
      const at = (OutputLocation: string) =>
        athena.start(QueryString, { ResultConfiguration: { OutputLocation } })
      await expect(at('/tmp/x')).rejects.toMatchObject(invalidRequest())
      await expect(at('s3://no-such-bucket-of-conformance/')).rejects.toMatchObject({
        ...invalidRequest(),
        message: expect.stringMatching(
          /^Unable to verify\/create output bucket no-such-bucket-of-conformance/,
        ),
      })
    })

    it('has 262,144 bytes at most', async () => {
      const of = (bytes: number) => `SELECT 1 -- ${'ü'.repeat((bytes - 12) / 2)}`
      await expect(athena.start(of(262_146))).rejects.toMatchObject(invalidRequest())
      expect(await athena.rows(of(262_144))).toEqual([['1']])
    })

    it('is in a work group that is there', async () => {
      await expect(athena.start('SELECT 1', { WorkGroup: 'nothing' })).rejects.toMatchObject({
        ...invalidRequest(),
        message: expect.stringMatching(/WorkGroup nothing is not found/i),
      })
    })
  })

  athena.concept('parameters', (it) => {
    const rows = (sql: string, ...ExecutionParameters: string[]) => athena.rows(sql, { ExecutionParameters })
    const select = 'SELECT x FROM (VALUES 1, 2, 3) t(x) WHERE'

    it('are SQL text of values, by their places', async () => {
      expect(await rows(`${select} x BETWEEN ? AND ? ORDER BY x`, '2', '1 + 2')).toEqual([['2'], ['3']])
      const texts = "SELECT x FROM (VALUES 'O''N', '', '1') t(x) WHERE x = ?"
      expect(await rows(texts, "'O''N'")).toEqual([["O'N"]])
      expect(await rows(texts, "''")).toEqual([['']])
      expect(
        await rows("SELECT x FROM (VALUES date '2024-03-08') t(x) WHERE x = ?", "DATE '2024-03-08'"),
      ).toEqual([['2024-03-08']])
    })

    it('within quotes are text', async () => {
      expect(await rows("SELECT '?', x FROM (VALUES 1) t(x) WHERE x = ?", '1')).toEqual([['?', '1']])
    })

    it('are as many as the places', async () => {
      for (const ExecutionParameters of [['1'], ['1', '2', '3']]) {
        expect(await athena.failure(`${select} x = ? OR x = ?`, { ExecutionParameters })).toMatch(
          /Incorrect number of parameters: expected 2 but found [13]/,
        )
      }
    })

    it('that are names of columns, or statements, are refused', async () => {
      for (const text of ['x', '1; SELECT 2', '(SELECT 1']) {
        const execution = await athena
          .ended(`${select} x = ?`, { ExecutionParameters: [text] })
          .catch((error: Error) => ({ Status: { State: error.name, StateChangeReason: undefined } }))
        expect([text, execution.Status?.State]).toEqual([
          text,
          expect.stringMatching(/^(FAILED|InvalidRequestException)$/),
        ])
      }
    })

    it('have 1 to 1024 characters, and are one at least', async () => {
      for (const ExecutionParameters of [[], [''], ['1'.repeat(1025)]]) {
        await expect(athena.start(`${select} x = ?`, { ExecutionParameters })).rejects.toMatchObject(
          invalidRequest(),
        )
      }
    })

    it('are echoed by the execution', async () => {
      const execution = await athena.run(`${select} x = ?`, { ExecutionParameters: ['2'] })
      expect(execution.ExecutionParameters).toEqual(['2'])
    })
  })
}
