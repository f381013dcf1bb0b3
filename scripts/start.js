import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildFast, install, isWritable, packageFolders, root, run } from './workspace.js'

// `npm start`: install the main job's own dependencies, build what changed, run it.
await install('example')
await buildFast(packageFolders.filter((folder) => folder !== join('packages', 'cli')))
const dataDir = isWritable()
  ? join(root, '.stockpipe', 'full-pipeline')
  : join(tmpdir(), `stockpipe-full-pipeline-${process.getuid?.() ?? 0}`)
const program = join(root, 'examples', 'dist', 'run-full-pipeline.js')
// The young generation as on Node 20: newer ones let it grow, and the job's peak memory from 370 to 560 MB with it.
const flags = ['--enable-source-maps', '--max-semi-space-size=16']
process.exitCode = await run(process.execPath, [...flags, program, ...process.argv.slice(2)], {
  env: {
    STOCKPIPE_DATA_DIR: dataDir,
    // Says of Node 20 what package.json says already.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    ...process.env,
  },
})
