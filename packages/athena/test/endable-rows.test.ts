import { expect, test } from 'vitest'
import { endableRows } from '../src/endable-rows.ts'

test('rows that have come are handed out no more once the signal is aborted', async () => {
  const controller = new AbortController()
  let left = false
  const rows = endableRows(controller.signal, async function* () {
    try {
      yield 1
      yield 2
    } finally {
      left = true
    }
  })
  expect(await rows.next()).toEqual({ done: false, value: 1 })
  const reason = new Error('enough')
  controller.abort(reason)
  await expect(rows.next()).rejects.toBe(reason)
  expect(left).toBe(true)
})
