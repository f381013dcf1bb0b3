import { defineTable, type Runtime, t } from '@stockpipe/core'
import { expect, test } from 'vitest'
import {
  athenaBarsWriter,
  type BarsWriter,
  buildBars,
  defineBars,
  type GlueSender,
  removeReplacedBars,
  type StatementRunner,
} from '../src/index.ts'
import { type SentCommand, serviceException } from './fake-glue.ts'
import { fakePartitionCatalog } from './fake-partition-catalog.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const trades = defineTable('trades', {
  columns: { symbol: t.string(), price: t.double(), size: t.int64(), ts: t.timestamp() },
}).at({ database: 'market', location: 's3://lake/trades/' })
const bars = defineBars(trades, {
  name: 'bars',
  location: 's3://lake/bars/',
  interval: 'day',
  symbol: 'symbol',
  price: 'price',
  size: 'size',
  time: 'ts',
})
const days = ['2024-01-01', '2024-01-02', '2024-01-03']
const dayMillis = 86_400_000

/** Glue, S3 and Athena that stay when a process dies, and processes that die at their n-th step. */
const world = () => {
  const catalog = fakePartitionCatalog()
  /** Which version of the trades a file of bars is of. */
  const files = new Map<string, number>()
  const tables = new Map<string, string>()
  let version = 1
  let daysWithTrades: readonly string[] = days

  const glue = (command: SentCommand & { readonly command: object }): Promise<object> | object => {
    const { operation, input } = command
    if (operation === 'GetTable') return { Table: {} }
    if (operation === 'GetTables') {
      const prefix = input.Expression.slice(0, -1)
      const found = [...tables].filter(([name]) => name.startsWith(prefix))
      return { TableList: found.map(([Name, Location]) => ({ Name, StorageDescriptor: { Location } })) }
    }
    if (operation === 'DeleteTable') {
      if (!tables.delete(input.Name)) throw serviceException('EntityNotFoundException')
      return {}
    }
    return catalog.client.send(command.command as never)
  }
  const runStatement = (sql: string) => {
    const dropped = /^DROP TABLE IF EXISTS `market`\.`([^`]+)`$/.exec(sql)?.[1]
    if (dropped !== undefined) {
      tables.delete(dropped)
      return
    }
    const [, table, folder = ''] =
      /^CREATE TABLE "market"."([^"]+)"[\s\S]*external_location = '([^']+)'/.exec(sql) ??
      /^(UNLOAD)[\s\S]*\) TO '([^']+)'/.exec(sql) ??
      []
    const prefix = folder.slice('s3://lake/'.length)
    if ([...files.keys()].some((key) => key.startsWith(prefix))) throw new Error('not empty')
    for (const day of daysWithTrades) {
      if (sql.includes(`'${day}'`)) files.set(`${prefix}bar_date=${day}/file`, version)
    }
    if (table !== 'UNLOAD') tables.set(table!, folder)
  }

  /** A process that dies at its n-th step: with what it does there done, or not. */
  const process = (dieAt = Number.POSITIVE_INFINITY, isDone = false) => {
    let steps = 0
    const step = async <Answer>(act: () => Answer | Promise<Answer>): Promise<Answer> => {
      steps += 1
      if (steps > dieAt || (steps === dieAt && !isDone)) throw new Error('killed')
      const answer = await act()
      if (steps === dieAt) throw new Error('killed')
      return answer
    }
    const client = {
      send: (command: { constructor: { name: string }; input: object }) =>
        step(() =>
          glue({
            operation: command.constructor.name.replace(/Command$/, ''),
            input: command.input,
            command,
          }),
        ),
    } as unknown as GlueSender
    const athena: StatementRunner = { queryText: ({ sql }) => step(() => runStatement(sql)) }
    const store = {
      async *list(prefix: string) {
        const keys = await step(() => [...files.keys()].filter((key) => key.startsWith(prefix)))
        for (const key of keys) yield { key, size: 1, etag: '' }
      },
      delete: (key: string) =>
        step(() => {
          files.delete(key)
        }),
    }
    return { client, athena, store, steps: () => steps }
  }

  /** The versions a query finds of each day, one a file. */
  const query = () => {
    const answer = new Map<string, number[]>()
    for (const [day, { StorageDescriptor }] of catalog.partitions) {
      const prefix = StorageDescriptor!.Location!.slice('s3://lake/'.length)
      answer.set(
        day,
        [...files].filter(([key]) => key.startsWith(prefix)).map(([, one]) => one),
      )
    }
    return answer
  }
  return {
    files,
    tables,
    process,
    query,
    setTrades(itsVersion: number, itsDays: readonly string[] = days) {
      version = itsVersion
      daysWithTrades = itsDays
    },
  }
}

/** A clock that goes on by a second a build. */
const clock = (skippedMillis: number): Runtime => {
  const runtime = virtualRuntime()
  return { ...runtime, now: () => runtime.now() + skippedMillis }
}

test.each(['CREATE TABLE AS', 'UNLOAD'] as const)(
  'a build by %s that is killed at any step, and run again, has each day’s bars once',
  async (statement) => {
    const whole = world().process()
    const build = (one: typeof whole, runtime: Runtime) =>
      buildBars({ ...one, bars, days, write: athenaBarsWriter(one.athena, { statement }), runtime })
    await build(whole, clock(0))
    expect(whole.steps()).toBeGreaterThan(7)
    for (let dieAt = 1; dieAt <= whole.steps() + 1; dieAt++) {
      for (const isDone of [false, true]) {
        const one = world()
        // A day that has bars already, and loses them; one that has none yet.
        one.setTrades(1, ['2024-01-01', '2024-01-02'])
        await build(one.process(), clock(0))
        one.setTrades(2, ['2024-01-02', '2024-01-03'])
        await build(one.process(dieAt, isDone), clock(1000)).catch((error) =>
          expect(String(error.message)).toContain('killed'),
        )
        const seen = one.query()
        expect([[1], []]).toContainEqual(seen.get('2024-01-01'))
        expect([[1], [2]]).toContainEqual(seen.get('2024-01-02'))
        expect([undefined, [2]]).toContainEqual(seen.get('2024-01-03'))
        one.setTrades(3, ['2024-01-02', '2024-01-03'])
        await build(one.process(), clock(2000))
        const expected = new Map([
          ['2024-01-01', []],
          ['2024-01-02', [3]],
          ['2024-01-03', [3]],
        ])
        expect(one.query()).toEqual(expected)

        // What is left behind goes, and nothing else.
        const { client, store } = one.process()
        await removeReplacedBars({ client, bars, store, runtime: clock(3 * dayMillis) })
        expect(one.query()).toEqual(expected)
        expect([...one.files.values()]).toEqual([3, 3])
        expect(one.tables.size).toBe(0)
      }
    }
  },
)

test('a table somebody called like one of a run stays', async () => {
  const one = world()
  one.tables.set('bars__run_mine', 's3://lake/bars/run=mine/')
  one.tables.set('bars__run_20200101t000000000z_aa', 's3://lake/mine/run=20200101T000000000Z-aa/')
  one.tables.set('bars__run_x', 's3://lake/bars/run=20200101T000000000Z-aa/')
  one.tables.set('bars__run_20200102t000000000z_aa', 's3://lake/bars/run=20200102T000000000Z-aa')
  await removeReplacedBars({ ...one.process(), bars, runtime: virtualRuntime() })
  expect([...one.tables.keys()]).toEqual([
    'bars__run_mine',
    'bars__run_20200101t000000000z_aa',
    'bars__run_x',
  ])
})

test('of two builds that make the same new day, the one that began later stays', async () => {
  for (const isLater of [true, false]) {
    const one = world()
    const other: BarsWriter = async (work) => {
      await athenaBarsWriter(one.process().athena)(work)
      // The other build is through between our look into the catalog and our call.
      one.setTrades(2)
    }
    const mine = one.process()
    let isThrough = false
    const client = {
      send: async (command: { constructor: { name: string } }) => {
        if (command.constructor.name === 'BatchCreatePartitionCommand' && !isThrough) {
          isThrough = true
          const { client, store } = one.process()
          const write = athenaBarsWriter(one.process().athena)
          await buildBars({ client, store, bars, days, write, runtime: clock(isLater ? 1000 : -1000) })
        }
        return mine.client.send(command as never)
      },
    } as unknown as GlueSender
    const built = await buildBars({ client, store: mine.store, bars, days, write: other, runtime: clock(0) })
    expect(built).toMatchObject(
      isLater ? { created: [], superseded: days } : { replaced: days, superseded: [] },
    )
    expect([...one.query().values()]).toEqual(days.map(() => [isLater ? 2 : 1]))
  }
})

test('bars whose files may have been removed before they are in the catalog are refused', async () => {
  const one = world()
  const { client, athena, store } = one.process()
  let hours = 0
  const runtime = { ...virtualRuntime(), now: () => virtualRuntime().now() + hours * 3_600_000 }
  await buildBars({ client, store, bars, days, write: athenaBarsWriter(athena), runtime })
  const slow: BarsWriter = async (work) => {
    await athenaBarsWriter(athena)(work)
    hours += 25
    // Another build takes them for what a failed one has left.
    await removeReplacedBars({ client, bars, store, runtime })
  }
  hours = 1
  await expect(buildBars({ client, store, bars, days, write: slow, runtime })).rejects.toMatchObject({
    code: 'BARS_TOO_LATE',
    message: expect.stringMatching(/took 25 hours to write/),
  })
  expect([...one.query().values()]).toEqual([[1], [1], [1]])
})
