import { describe, expect, it } from 'vitest'
import { parseTrinoStatement } from '../../src/athena/trino-statement.ts'

describe('a statement around a query', () => {
  it('keeps the lines and columns of the query', () => {
    expect(parseTrinoStatement('create view v as\n  select a -- ;\n from t;')).toEqual({
      kind: 'create-view',
      database: undefined,
      table: 'v',
      orReplace: false,
      query: '                \n  select a -- ;\n from t',
    })
    expect(parseTrinoStatement('insert into A.B select 1')).toMatchObject({
      database: 'a',
      table: 'b',
      columns: undefined,
      query: '                select 1',
    })
  })

  it('knows WITH DATA of the statement from WITH of the query', () => {
    const parse = (rest: string) => parseTrinoStatement(`create table t as ${rest}`)
    expect(parse('with data as (select 1 as a) select * from data')).toMatchObject({ withData: true })
    expect(parse('select 1 as a with no data')).toMatchObject({
      withData: false,
      query: `${' '.repeat(18)}select 1 as a `,
    })
    expect(parse('select 1 as a with data')).toMatchObject({
      withData: true,
      query: `${' '.repeat(18)}select 1 as a `,
    })
    expect(() => parse('with no data')).toThrowError(/SYNTAX_ERROR/)
  })

  it('reads properties of every form', () => {
    const sql = `create table "T" with (a = 'x''y', b = 3, c = true, d = array['p', 'Q'], e = array[]) as select 1`
    expect(parseTrinoStatement(sql)).toMatchObject({
      table: 't',
      properties: new Map<string, unknown>([
        ['a', "x'y"],
        ['b', 3],
        ['c', true],
        ['d', ['p', 'Q']],
        ['e', []],
      ]),
    })
    expect(() => parseTrinoStatement('create table t with (a = 1, A = 2) as select 1')).toThrowError(
      /DUPLICATE_PROPERTY/,
    )
  })

  it('cuts the values of EXECUTE at the commas between them', () => {
    expect(parseTrinoStatement(`execute p using 'a, ''b', concat('x', 'y'), array[1, 2][1] ;`)).toEqual({
      kind: 'execute',
      name: 'p',
      parameters: [`'a, ''b'`, `concat('x', 'y')`, 'array[1, 2][1]'],
    })
    expect(() => parseTrinoStatement('execute p using 1,')).toThrowError(/SYNTAX_ERROR/)
  })

  it('finds the end of the query in UNLOAD', () => {
    expect(parseTrinoStatement(`unload (select ')' as a, (1) as b) to 's3://b/'`)).toMatchObject({
      query: `        select ')' as a, (1) as b`,
      location: 's3://b/',
    })
    expect(() => parseTrinoStatement('unload (select (1) as a')).toThrowError(/SYNTAX_ERROR/)
  })

  it.each([
    'create table t as select 1; drop table t',
    'drop view a b',
    'create table other.catalog.db.t as select 1',
    'create table hive.db.t as select 1',
    'show views like like',
    'deallocate p',
  ])('%s is refused', (sql) => {
    expect(() => parseTrinoStatement(sql)).toThrowError(/SYNTAX_ERROR|CATALOG_NOT_FOUND/)
  })
})
