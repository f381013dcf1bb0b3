import { type Column, UpdateTableCommand } from '@aws-sdk/client-glue'
import { expect } from 'vitest'
import type { CaseAthena, Cells } from './case-athena.ts'
import { catalogTable } from './market-tables.ts'

const column = (Name: string, Type: string): Column => ({ Name, Type })
const [a, b, c] = [column('a', 'int'), column('b', 'float'), column('c', 'string')]
const old = [a, b, c, column('s', 'struct<n:int,m:string>')] as const

/** What the table has become since the file was written as `old`, and what is then read of it. */
const answered: Readonly<Record<string, readonly [columns: readonly Column[], select: string, row: Cells]>> =
  {
    'without a column that was added is NULL there': [[...old, column('d', 'bigint')], 'a, d', ['1', null]],
    'has more than the columns that were kept': [[c], '*', ['x']],
    'is read by names, in whatever order': [[c, b, a], '*', ['x', '0.5', '1']],
    'is read by names, in whatever case': [[column('C', 'string')], 'c', ['x']],
    'has integers that became bigint': [[column('a', 'bigint')], 'a + 2147483647', ['2147483648']],
    'has floats that became double': [[column('b', 'double')], 'b, typeof(b)', ['0.5', 'double']],
    'does not know a column by its new name': [[column('z', 'int'), b], '*', [null, '0.5']],
    'has structs to which a field was added': [
      [a, column('s', 'struct<n:int,m:string,o:bigint>')],
      's, s.n, s.o',
      ['{n=1, m=p, o=null}', '1', null],
    ],
  }

export const describeSchemaEvolution = (athena: CaseAthena): void => {
  athena.concept('schema evolution', (it) => {
    let made: Promise<string> | undefined
    const file = () => (made ??= writeFile())
    const writeFile = async () => {
      const place = athena.place()
      await athena.write(
        `${place}dt=1/`,
        "SELECT 1 AS a, real '0.5' AS b, 'x' AS c, cast(row(1, 'p') AS row(n integer, m varchar)) AS s",
      )
      return place
    }
    /** A table of these columns, whose one partition keeps those of the file, or has none of its own. */
    const table = async (columns: readonly Column[], partitioned: boolean): Promise<string> => {
      const database = await athena.database()
      const place = await file()
      const first = old.map(({ Name, Type }) => `${Name} ${Type}`).join(', ')
      const keys = partitioned ? 'PARTITIONED BY (dt string)' : ''
      await athena.run(
        `CREATE EXTERNAL TABLE t (${first}) ${keys} STORED AS PARQUET LOCATION '${place}${partitioned ? '' : 'dt=1/'}'`,
        { database },
      )
      if (partitioned) await athena.run("ALTER TABLE t ADD PARTITION (dt='1')", { database })
      const { StorageDescriptor, PartitionKeys, Parameters, TableType } = await catalogTable(athena, {
        database,
        table: 't',
      })
      await athena.glue.send(
        new UpdateTableCommand({
          DatabaseName: database,
          TableInput: {
            Name: 't',
            TableType,
            Parameters,
            PartitionKeys,
            StorageDescriptor: { ...StorageDescriptor, Columns: [...columns] },
          },
        }),
      )
      return database
    }

    for (const [title, [columns, select, row]] of Object.entries(answered)) {
      for (const partitioned of [true, false]) {
        it(`${partitioned ? 'a partition that' : 'a file that'} ${title}`, async () => {
          const database = await table(columns, partitioned)
          const selected = select === '*' ? columns.map(({ Name }) => Name).join(', ') : select
          expect(await athena.rows(`SELECT ${selected} FROM t`, { database })).toEqual([row])
        })
      }
    }

    it('a partition whose integers became smaller is refused', async () => {
      const database = await table([column('a', 'smallint')], true)
      expect(await athena.failure('SELECT a FROM t', { database })).toMatch(
        /^HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition schemas\. The types are incompatible and cannot be coerced\. The column 'a' in table '\w+\.t' is declared as type 'smallint', but partition 'dt=1' declared column 'a' as type 'int'\./,
      )
    })

    it('a partition whose structs were put in another order is refused', async () => {
      const database = await table([column('s', 'struct<m:string,n:int>')], true)
      expect(await athena.failure('SELECT s FROM t', { database })).toMatch(
        /^HIVE_PARTITION_SCHEMA_MISMATCH: /,
      )
    })

    it('a file whose text became a number is refused', async () => {
      const database = await table([column('c', 'int')], false)
      expect(await athena.failure('SELECT c FROM t', { database })).toMatch(
        /^(HIVE_BAD_DATA|NOT_SUPPORTED): Unsupported Trino column type \(integer\) for Parquet column \(\[c\] optional /,
      )
    })

    it('a file whose column of another type is not asked for is read', async () => {
      const database = await table([a, column('c', 'int')], false)
      expect(await athena.rows('SELECT a FROM t', { database })).toEqual([['1']])
    })
  })
}
