import '../../packages/s3-sink/test/sink/in-worker-threads.ts'

await import('./rebalance.local.test.ts')
