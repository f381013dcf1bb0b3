#!/usr/bin/env node
// The model of the sink (packages/s3-sink/test/model): schedules a trigger, 1,000 unless told otherwise. A failure
// prints the seed that repeats it.
import { join } from 'node:path'
import { install, root, run } from '../scripts/workspace.js'

const [schedules = '1000'] = process.argv.slice(2)
await install('all')
const code = await run(
  process.execPath,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--config=vitest.workspace.ts',
    '--project=unit*',
    '--maxWorkers=2',
    'packages/s3-sink/test/model',
  ],
  { env: { ...process.env, STOCKPIPE_MODEL_SCHEDULES: schedules } },
)
if (code === 0) console.log(`figure: ${schedules} schedules a trigger, 0 lost, 0 doubled`)
process.exitCode = code
