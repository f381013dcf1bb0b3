import { join } from 'node:path'
import { buildFast } from '../scripts/workspace.js'

/** Node runs no TypeScript in worker threads: tests that start one take its entry from the build. */
export default () => buildFast([join('packages', 'core'), join('packages', 's3-sink')])
