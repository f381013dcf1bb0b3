import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildFast, install, packageFolders, root, run } from '../scripts/workspace.js'

// A plain script with the unmodified clients, and nothing of ours, uses `stockpipe local`.
await install('all')
await buildFast(packageFolders.filter((folder) => folder !== 'examples'))
const dataDir = mkdtempSync(join(tmpdir(), 'stockpipe-plain-clients-'))
const begun = performance.now()
const local = spawn(
  process.execPath,
  [
    join(root, 'packages/cli/dist/stockpipe.js'),
    'local',
    '--data-dir',
    dataDir,
    '--kafka-port',
    '0',
    '--http-port',
    '0',
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
const exited = new Promise((resolve) => local.on('exit', (code, signal) => resolve({ code, signal })))
try {
  const line = await new Promise((resolve, reject) => {
    let text = ''
    local.stdout.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    exited.then(({ code }) => reject(new Error(`stockpipe local ended with ${code} before it was ready`)))
  })
  console.log(`figure: stockpipe local ready in ${Math.round(performance.now() - begun)} ms`)
  const code = await run(process.execPath, ['packages/cli/test/plain-clients/script.js', line])
  if (code !== 0) throw new Error(`the plain script ended with ${code}`)
  const stopping = performance.now()
  local.kill('SIGTERM')
  const { code: localCode, signal } = await exited
  if (localCode !== 0) throw new Error(`SIGTERM ended stockpipe local with ${localCode ?? signal}, not 0`)
  console.log(`figure: stockpipe local ended ${Math.round(performance.now() - stopping)} ms after SIGTERM`)
} finally {
  if (local.exitCode === null && local.signalCode === null) local.kill('SIGKILL')
  await exited
  rmSync(dataDir, { recursive: true, force: true })
}
