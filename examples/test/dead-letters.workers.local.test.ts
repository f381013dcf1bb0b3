import '../../packages/s3-sink/test/sink/in-worker-threads.ts'

await import('./dead-letters.local.test.ts')
