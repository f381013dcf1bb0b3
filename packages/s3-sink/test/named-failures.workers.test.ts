import './sink/in-workers.ts'

await import('./named-failures.test.ts')
