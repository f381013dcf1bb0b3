import './sink/in-workers.ts'

await import('./memory-budget.test.ts')
