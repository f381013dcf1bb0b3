import { expect, test } from 'vitest'
import { logical } from '../../src/sql/logical-rules.ts'

test('an operand that may fail waits for those before it', () => {
  expect(logical('AND', ['a', '"sp_f"(b)'])).toBe('(a AND CASE WHEN NOT (a) THEN FALSE ELSE "sp_f"(b) END)')
  expect(logical('OR', ['a', 'b', '(c / d > 1)'])).toBe(
    '(a OR b OR CASE WHEN (a OR b) THEN TRUE ELSE (c / d > 1) END)',
  )
})

test('one that cannot fail stays a condition that joins and files can use', () => {
  const operands = ['"sp_f"(b)', '(r."ts" >= q."ts")', `(r."c1" = CAST('5' AS INTEGER))`]
  expect(logical('AND', operands)).toBe(`(${operands.join(' AND ')})`)
  const range = ['a', '(r."ts" <= (q."ts" + to_milliseconds(5)))']
  expect(logical('AND', range)).toBe(`(${range.join(' AND ')})`)
})

test('conditions before it are not repeated where they are long, or queries', () => {
  for (const before of ['x'.repeat(3000), 'EXISTS (SELECT 1)'])
    expect(logical('AND', [before, '"sp_f"(b)'])).toBe(`(${before} AND "sp_f"(b))`)
})
