import { readFileSync } from 'node:fs'
import { expect, it, vi } from 'vitest'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

it('the README shows the quick start as it is', () => {
  expect(read('../../README.md')).toContain(`\`\`\`ts\n${read('../quick-start.ts')}\`\`\`\n`)
})

it('the quick start prints the trade it produced, as Athena answers it', async () => {
  const print = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    await import('../quick-start.ts')
    expect(print.mock.calls).toEqual([['BRK.B: 10 at 401.5000']])
  } finally {
    print.mockRestore()
  }
})
