import './in-workers.ts'

await import('./model-rotation.test.ts')
