import './in-workers.ts'

await import('./model-ends.test.ts')
