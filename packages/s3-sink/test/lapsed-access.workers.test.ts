import './sink/in-workers.ts'

await import('./lapsed-access.test.ts')
