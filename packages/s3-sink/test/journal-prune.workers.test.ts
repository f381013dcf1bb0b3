import './sink/in-workers.ts'

await import('./journal-prune.test.ts')
