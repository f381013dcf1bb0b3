#!/usr/bin/env node
// Tables made by plan and apply (registered, projected, evolved), filled by the sink in every compression and type, and read by
// Trino over our own Glue and S3: every row that was written, none beside. The same tables in moto: accepted, and read back
// as planned. Needs Maven and Python 3 (Trino), Python 3.11 (moto). `--keep-going` prints all differences.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildFast, install, packageFolders } from '../scripts/workspace.js'
import { askTrino } from './athena/ask-trino.js'
import { awsClients } from './athena/aws-clients.js'
import { startTrino } from './athena/start-trino.js'
import { startLane } from './lane-process.js'
import { startStack } from './stack/stack-process.js'

await install('all')
await buildFast(packageFolders.filter((folder) => !['examples', 'benchmarks'].includes(folder)))
const { bucket, database, marketTables } = await import('./glue/market-tables.js')
const { differences, fromRow, fromTrino } = await import('./glue/comparable.js')
const { writeRows } = await import('./glue/write-rows.js')
const { partitionValues } = await import('./glue/partition-values.js')
const { createPartitionRegistrar, applyPlan, planDiffers, planTables, destructiveChanges } = await import(
  '../packages/glue/dist/index.js'
)

const problems = []
const begun = performance.now()
/** How long it has been, for the figures. */
const seconds = () => `${((performance.now() - begun) / 1000).toFixed(0)} s`
const check = (holds, what) => {
  if (!holds) problems.push(what)
}

/** Plans the tables and applies it; a second plan must find nothing to do. */
const makeTables = async (client, where, tables) => {
  const plan = await planTables({ client, tables })
  await applyPlan(plan, { client, allow: destructiveChanges })
  const again = await planTables({ client, tables })
  check(
    !planDiffers(again),
    `${where}: a second plan finds ${JSON.stringify(again.tables.flatMap((one) => one.changes))}`,
  )
}

const oldDefinitions = marketTables.map(({ old, definition }) => old ?? definition)
const definitions = marketTables.map(({ definition }) => definition)
const isProjected = ({ partitioning }) => partitioning?.kind === 'projected'

/** Makes and fills the tables as time would: old definitions and their rows, then those of today. */
const fillTables = async (clients) => {
  await clients.s3.createBucket({ Bucket: bucket })
  await makeTables(clients.glue, 'the local stack', oldDefinitions)
  let files = 0
  for (const { name, old, oldBatches = [] } of marketTables) {
    for (const batch of oldBatches) files += await writeRows(clients, `${name}-old`, old, batch)
  }
  await makeTables(clients.glue, 'the local stack', definitions)
  for (const { name, definition, batches } of marketTables) {
    for (const [index, batch] of batches.entries()) {
      files += await writeRows(clients, `${name}-${index}`, definition, batch)
    }
  }
  return files
}

/** The rows of a table as they were written, with the values of its partitions. */
const writtenRows = ({ definition, batches, oldBatches = [], asRead }) => {
  const { columns, partitions } = definition.table.table
  const rows = [...oldBatches.flatMap(({ rows }) => rows.map(asRead)), ...batches.flatMap(({ rows }) => rows)]
  return rows.map((row) => [
    ...columns.map(({ name, type }) => fromRow(type, row[name])),
    ...partitionValues(partitions, row),
  ])
}

const literal = (text) => `'${text.replaceAll("'", "''")}'`

const readByTrino = async (trino, { name, definition, bySymbol }) => {
  const { columns } = definition.table.table
  const statements = bySymbol?.map((symbol) => `SELECT * FROM ${name} WHERE ticker = ${literal(symbol)}`)
  const found = []
  for (const sql of statements ?? [`SELECT * FROM ${name}`]) {
    const answer = await askTrino(trino, database, sql)
    if (answer.error) {
      problems.push(`${sql}: ${answer.error.name}: ${answer.error.message}`)
      continue
    }
    for (const row of answer.rows) {
      found.push(row.map((value, index) => fromTrino(columns[index]?.type ?? { kind: 'string' }, value)))
    }
  }
  return found
}

const judgeByTrino = async (trino) => {
  let rows = 0
  for (const table of marketTables) {
    const written = writtenRows(table)
    const { missing, unexpected } = differences(written, await readByTrino(trino, table))
    for (const row of missing.slice(0, 3)) problems.push(`${table.name}: Trino does not find ${row}`)
    for (const row of unexpected.slice(0, 3))
      problems.push(`${table.name}: Trino finds ${row}, which was not written`)
    check(
      missing.length + unexpected.length === 0,
      `${table.name}: ${missing.length} missing, ${unexpected.length} too many`,
    )
    rows += written.length
  }
  return rows
}

/** The same tables and partitions in a Glue that is not ours. */
const judgeByMoto = async (glue, ours) => {
  await makeTables(glue, 'moto', oldDefinitions)
  await makeTables(glue, 'moto', definitions)
  let partitions = 0
  for (const { name, definition } of marketTables) {
    const { Table } = await glue.getTable({ DatabaseName: database, Name: name })
    const { Table: here } = await ours.getTable({ DatabaseName: database, Name: name })
    for (const member of ['StorageDescriptor', 'PartitionKeys', 'Parameters', 'TableType']) {
      const [theirs, own] = [sorted(Table[member]), sorted(here[member])]
      check(theirs === own, `${name}: moto has ${member} ${theirs}, the local stack ${own}`)
    }
    if (isProjected(definition)) continue
    const registered = await partitionsOf(ours, name)
    const list = registered.map(({ Values, StorageDescriptor }) => ({
      values: Values,
      location: StorageDescriptor.Location,
    }))
    await createPartitionRegistrar({ client: glue, table: definition.table }).register(list)
    const there = await partitionsOf(glue, name)
    const keyed = (all) => all.map((one) => sorted([one.Values, one.StorageDescriptor.Location])).sort()
    const { missing, unexpected } = differences(keyed(registered), keyed(there))
    check(
      missing.length + unexpected.length === 0,
      `${name}: partitions in moto differ: ${missing} ${unexpected}`,
    )
    partitions += list.length
  }
  return partitions
}

const partitionsOf = async (glue, TableName) => {
  const found = []
  let NextToken
  do {
    const page = await glue.getPartitions({ DatabaseName: database, TableName, NextToken })
    found.push(...page.Partitions)
    NextToken = page.NextToken || undefined
  } while (NextToken !== undefined)
  return found
}

/** JSON with members in one order. */
const sorted = (value) =>
  JSON.stringify(value, (_, one) =>
    one !== null && typeof one === 'object' && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([left], [right]) => (left < right ? -1 : 1)))
      : one,
  )

const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-glue-tables-'))
const stack = await startStack({ dataDir, kafkaPort: 0, httpPort: 0 })
const clients = awsClients(stack.aws)
const open = []
try {
  // Trino takes some seconds to start: the tables are filled meanwhile.
  const starting = startTrino(stack.aws, database, marketTables[0].name)
  const filling = fillTables(clients)
  const [started] = await Promise.allSettled([starting, filling])
  if (started.value !== undefined) open.push(started.value)
  const [judge, files] = [await starting, await filling]
  if (judge !== undefined) {
    const rows = await judgeByTrino(judge.trino)
    console.log(
      `figure: ${marketTables.length} tables, ${files} files of the sink, ${rows} rows read by Trino: ${problems.length} differences (after ${seconds()})`,
    )
  }
  const moto = await startLane('moto')
  if (moto !== undefined) {
    open.push(moto)
    const theirs = awsClients(moto.address.glue)
    open.push({ close: () => theirs.destroy() })
    const partitions = await judgeByMoto(theirs.glue, clients.glue)
    console.log(
      `figure: ${marketTables.length} tables and ${partitions} partitions accepted by moto and read back (after ${seconds()})`,
    )
  }
} finally {
  for (const one of open.reverse()) await one.close()
  clients.destroy()
  await stack.end('SIGTERM')
  rmSync(dataDir, { recursive: true, force: true })
}
if (problems.length > 0) {
  for (const problem of problems) console.error(problem)
  throw new Error(`${problems.length} differences`)
}
