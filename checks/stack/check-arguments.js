import { parseArgs } from 'node:util'

/** The arguments of a check, and how many workers its sinks have: `--workers 0`, on their own thread, or 1 (default). */
export const checkArguments = () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { workers: { type: 'string', default: '1' } },
  })
  if (!['0', '1'].includes(values.workers)) throw new Error('--workers is 0 or 1')
  return { workers: Number(values.workers), positionals }
}
