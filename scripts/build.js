import { buildFast, install, packageFolders } from './workspace.js'

// Every package, without declarations, skipping those whose inputs are unchanged.
await install('all')
await buildFast(packageFolders)
