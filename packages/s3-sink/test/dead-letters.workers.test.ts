import './sink/in-workers.ts'

await import('./dead-letters.test.ts')
