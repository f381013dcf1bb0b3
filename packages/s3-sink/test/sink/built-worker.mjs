import { register } from 'node:module'

// The entry of a worker thread as it was built. A thread of vitest resolves packages to their sources, which Node cannot
// run: core is taken from its build.
const core = new URL('../../../core/dist/index.js', import.meta.url).href
const hook = `export const resolve = (name, context, next) =>
  name === '@stockpipe/core' ? { url: ${JSON.stringify(core)}, shortCircuit: true } : next(name, context)`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
await import('../../dist/engine-worker.js')
