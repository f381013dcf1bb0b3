import { consuming } from './record-batch-mode.ts'

consuming.recordBatches = 'messages'
await import('./until.local.test.ts')
