/**
 * Tests that need the modules of a process to themselves: they mock modules, run the tests of another file in another way,
 * change the environment, measure memory, or have helpers that register hooks when they are loaded. The rest share processes, in which
 * each module is loaded once.
 */
export const isolatedTests = {
  unit: [
    '**/*.messages.test.ts',
    '**/*.workers.test.ts',
    'packages/core/test/free-memory.test.ts',
    'packages/core/test/memory-pool.test.ts',
    'packages/kafka/test/response-reader.test.ts',
    'packages/local/test/durability/durability.test.ts',
    'packages/local/test/durability/power-loss.test.ts',
    'packages/s3-sink/test/engine-choice.test.ts',
  ],
  local: [
    '**/*.messages.local.test.ts',
    '**/*.workers.local.test.ts',
    'packages/cli/test/**/*.local.test.ts',
    'packages/kafka/test/**/*.local.test.ts',
    'packages/local/test/durability/stack-power-loss.local.test.ts',
    'packages/s3-sink/test/worker-engine.local.test.ts',
  ],
} as const
