import './sink/in-workers.ts'

await import('./telemetry.test.ts')
