import './sink/in-worker-threads.ts'

await import('./lapsed-access.local.test.ts')
