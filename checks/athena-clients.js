import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { buildFast, install, packageFolders } from '../scripts/workspace.js'
import { awsClients } from './athena/aws-clients.js'
import { putGoldenTables } from './athena/golden-tables.js'
import { address, endAll, endService, runCases, start, startLocal } from './clients/programs.js'

// Clients that are not ours use the Athena and Glue of `stockpipe local` in a process of its own: PyAthena and awswrangler
// read tables, the golden queries and 100,000 rows; boto3 crawls, and runs jobs of Python and, where it can be had, of Spark.
// An argument names the cases to run.
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-athena-clients-'))

try {
  const requirements = 'lanes/clients/athena-requirements.txt'
  const clients = await address(
    'clients of Athena',
    start(process.execPath, ['lanes/clients/start', requirements]),
  )
  if (clients !== undefined) {
    const spark = await address('Spark', start(process.execPath, ['lanes/spark/start']))
    await install('all')
    await buildFast(packageFolders.filter((folder) => !['examples', 'benchmarks'].includes(folder)))
    // What jobs find as Python and Spark; compiling a script's code well would take longer than the script.
    const PATH = [dirname(clients.python), process.env.PATH].join(delimiter)
    const quick = { JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' }
    const env = { ...process.env, PATH, ...quick, ...(spark && { SPARK_HOME: spark.sparkHome }) }
    const service = startLocal(['--data-dir', dataDir], { env })
    const addresses = await address('stockpipe local', service)
    const aws = awsClients(addresses.aws)
    await putGoldenTables(aws)
    aws.destroy()
    const given = { ...addresses, hasSpark: spark !== undefined }
    await runCases(clients.python, 'athena.py', given, 'stockpipe local', process.argv[2])
    await endService('stockpipe local', service)
  }
} finally {
  await endAll()
  rmSync(dataDir, { recursive: true, force: true })
}
