import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { install, root, run } from './workspace.js'

// `npm test`: everything that needs nothing but Node. Arguments go on to vitest.
await install('all')
const lanes = ['unit*', 'types', 'local*'].flatMap((name) => ['--project', name])
process.exitCode = await run(process.execPath, [
  join(root, 'node_modules', 'vitest', 'vitest.mjs'),
  'run',
  '--config',
  'vitest.workspace.ts',
  // One more than there are cores: tests over sockets wait more than they compute.
  `--maxWorkers=${availableParallelism() + 1}`,
  ...lanes,
  ...process.argv.slice(2),
])
