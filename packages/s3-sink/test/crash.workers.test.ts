import './sink/in-workers.ts'

await import('./crash.test.ts')
