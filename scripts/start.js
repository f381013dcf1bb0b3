import { join } from 'node:path'
import { buildFast, install, packageFolders, root, run } from './workspace.js'

// `npm start`: install the main job's own dependencies, build what changed, run it.
await install('example')
await buildFast(packageFolders.filter((folder) => folder !== join('packages', 'cli')))
process.exitCode = await run(process.execPath, [
  '--enable-source-maps',
  join(root, 'examples', 'dist', 'run-full-pipeline.js'),
  ...process.argv.slice(2),
])
