import './sink/in-workers.ts'

await import('./schema-registry.test.ts')
