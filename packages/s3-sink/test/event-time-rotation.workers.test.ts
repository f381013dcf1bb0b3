import './sink/in-workers.ts'

await import('./event-time-rotation.test.ts')
