import './sink/in-workers.ts'

await import('./last-resort.test.ts')
