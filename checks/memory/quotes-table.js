import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../../scripts/workspace.js'

/** A package as it was built. */
export const built = (name) => import(pathToFileURL(join(root, 'packages', name, 'dist/index.js')).href)

export const partitions = 4

/** The table and topic of the memory checks: one path a symbol. */
export const quotesTopic = async () => {
  const { defineTable, defineTopic, identity, t } = await built('core')
  const table = defineTable('quotes', {
    columns: { symbol: t.string(), price: t.double(), note: t.string(), serial: t.int64() },
    partitions: { ticker: identity('symbol') },
  })
  return defineTopic('quotes', { table, key: 'symbol', partitions })
}

/** Row `serial`, with a text of `noteBytes` that hardly compresses. */
export const quote = (serial, symbols, noteBytes) => {
  let note = ''
  for (let at = serial; note.length < noteBytes; at += 1)
    note += (Math.imul(at + 1, 0x9e3779b1) >>> 0).toString(36)
  return JSON.stringify({
    symbol: `S${serial % symbols}`,
    price: (serial % 977) / 4,
    note: note.slice(0, noteBytes),
    serial: String(serial),
  })
}

/** A line of /proc/self/status in MB: `VmHWM` (peak) or `VmRSS` (now) of this process or another. */
export const residentMegabytes = (readFileSync, name, pid = 'self') =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) /
  1000
