#!/usr/bin/env node
// Generated and mutated documents (packages/core/test/decoder-fuzz) of JSON, CSV and Avro: 100,000 a decoder unless told
// otherwise. What the decoders give is what their references give, rows, rejects and reasons, with generated code and
// without; none throws.
// `node checks/decoder-fuzz.js [count] [seed]`
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildFast, install, root, run } from '../scripts/workspace.js'
import { seedFrom } from './stack/random.js'

const count = Number(process.argv[2] ?? 100_000)
if (!Number.isInteger(count) || count < 1000)
  throw new Error('usage: node checks/decoder-fuzz.js [count >= 1000] [seed]')
const seed = seedFrom(process.argv[3])
await install('all')

// Where Node forbids code made from text, the decoder is made without it, by itself.
await buildFast([join('packages', 'core')])
const program = `
  import { createDecoder, defineTable, defineTopic, RecordBlockBuilder, t } from ${JSON.stringify(pathToFileURL(join(root, 'packages/core/dist/index.js')))}
  let forbidden = false
  try { new Function('') } catch { forbidden = true }
  const topic = defineTopic('t', { table: defineTable('t', { columns: { a: t.int64(), b: t.string() } }) })
  const builder = new RecordBlockBuilder({ topic: 't', partition: 0, firstOffset: 0n })
  for (let offset = 0n; offset < 2000n; offset += 1n)
    builder.add({ offset, timestampMillis: 0, key: null, value: Buffer.from('{"b":"x","a":' + offset + '}') })
  const { batch, rejected } = createDecoder(topic).decode(builder.finish())
  console.log(JSON.stringify([forbidden, batch.rows, rejected.length, String(batch.columns[0].values[1999])]))
`
for (const flags of [[], ['--disallow-code-generation-from-strings']]) {
  const child = spawnSync(process.execPath, [...flags, '--input-type=module', '--eval', program], {
    encoding: 'utf8',
  })
  assert.equal(child.stderr, '')
  assert.deepEqual(JSON.parse(child.stdout), [flags.length > 0, 2000, 0, '1999'])
}

process.exitCode = await run(
  process.execPath,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--config=vitest.workspace.ts',
    '--project=unit',
    'packages/core/test/decoder-fuzz',
  ],
  { env: { ...process.env, STOCKPIPE_FUZZ_DOCUMENTS: String(count), STOCKPIPE_FUZZ_SEED: String(seed) } },
)
if (process.exitCode === 0)
  console.log(`figure: ${count} documents a decoder, equal to the reference, 0 thrown`)
