import './sink/in-workers.ts'

await import('./sink.test.ts')
