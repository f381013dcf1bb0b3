import './sink/in-workers.ts'

await import('./journal-reset.test.ts')
