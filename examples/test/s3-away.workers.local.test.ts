import '../../packages/s3-sink/test/sink/in-worker-threads.ts'

await import('./s3-away.local.test.ts')
