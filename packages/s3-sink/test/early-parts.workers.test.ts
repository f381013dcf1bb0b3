import './sink/in-workers.ts'

await import('./early-parts.test.ts')
