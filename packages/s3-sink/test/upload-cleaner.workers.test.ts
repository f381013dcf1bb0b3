import './sink/in-workers.ts'

await import('./upload-cleaner.test.ts')
