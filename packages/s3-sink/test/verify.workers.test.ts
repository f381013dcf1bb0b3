import './sink/in-workers.ts'

await import('./verify.test.ts')
