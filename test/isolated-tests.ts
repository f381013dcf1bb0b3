/**
 * Tests that need the modules of a process to themselves: they mock modules, or run the tests of another file in another
 * way. The rest of the unit tests share processes, in which each module is loaded once.
 */
export const isolatedTests = [
  '**/*.messages.test.ts',
  '**/*.workers.test.ts',
  'packages/local/test/durability/durability.test.ts',
  'packages/local/test/durability/power-loss.test.ts',
  'packages/s3-sink/test/engine-choice.test.ts',
]
