import { consuming } from './record-batch-mode.ts'

consuming.recordBatches = 'messages'
await import('./fan-out.local.test.ts')
