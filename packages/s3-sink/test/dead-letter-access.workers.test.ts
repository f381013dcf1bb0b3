import './sink/in-workers.ts'

await import('./dead-letter-access.test.ts')
