import { consuming } from './record-batch-mode.ts'

consuming.recordBatches = 'messages'
await import('./telemetry.local.test.ts')
