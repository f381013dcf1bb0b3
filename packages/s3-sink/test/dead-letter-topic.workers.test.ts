import './sink/in-workers.ts'

await import('./dead-letter-topic.test.ts')
