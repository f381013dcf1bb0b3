import { join } from 'node:path'
import { buildFast } from '../scripts/workspace.js'

/** Node runs no TypeScript in worker threads: tests that start one take its entry from the build. */
export default () => buildFast(['core', 'kafka', 's3-sink'].map((name) => join('packages', name)))
