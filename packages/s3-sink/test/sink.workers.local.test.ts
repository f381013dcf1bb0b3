import './sink/in-worker-threads.ts'

await import('./sink.local.test.ts')
