import { join } from 'node:path'
import { root } from '../../scripts/workspace.js'
import { startLane } from './services.js'

const folder = join(root, 'benchmarks', 'contestants')
const node = (program, settings = {}) => ({
  command: async () => [process.execPath, ['--no-warnings', join(folder, program)]],
  settings,
})

let python
const pythonOfLane = async () => {
  python ??= startLane('clients/start', [join(folder, 'python', 'requirements.txt')])
  return (await python).address.python
}

/**
 * Who takes part: how each is started, settings of its own, and the CPU seconds per million rows it needs when it is
 * set up well (trades of 90 bytes, 20 symbols x 4 hours, measured once on 2 cores).
 */
export const contestants = {
  stockpipe: node('stockpipe/run.js'),
  'stockpipe-inline': node('stockpipe/run.js', { workers: 0 }),
  'stockpipe-zstd': node('stockpipe/run.js', { compression: 'zstd' }),
  'kafkajs-each-message': { ...node('kafkajs/each-message.js'), referenceCpuSeconds: 9.2 },
  'kafkajs-each-batch': { ...node('kafkajs/each-batch.js'), referenceCpuSeconds: 7.0 },
  python: {
    command: async () => [await pythonOfLane(), ['-B', join(folder, 'python', 'consume.py')]],
    settings: {},
    referenceCpuSeconds: 5.5,
  },
}
