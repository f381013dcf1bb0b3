import type { RecordReader } from '@stockpipe/core'
import { expectTypeOf, test } from 'vitest'
import type { PushSinkOptions, SinkOptions } from '../src/index.ts'

test('what only a sink with a consumer heeds is no option of a push sink', () => {
  type DeadLetters = NonNullable<PushSinkOptions['deadLetters']>
  expectTypeOf<DeadLetters>().not.toHaveProperty('publisher')
  expectTypeOf<keyof NonNullable<PushSinkOptions['rotation']>>().toEqualTypeOf<'bytes'>()
  expectTypeOf<PushSinkOptions>().not.toHaveProperty('readAgain')
  expectTypeOf<SinkOptions['readAgain']>().toEqualTypeOf<RecordReader | undefined>()
  // @ts-expect-error: dead letters of pushed records go to no topic.
  const _: DeadLetters = { publisher: { publish: async () => {} } }
})
