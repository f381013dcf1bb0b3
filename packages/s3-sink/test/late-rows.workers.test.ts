import './sink/in-workers.ts'

await import('./late-rows.test.ts')
