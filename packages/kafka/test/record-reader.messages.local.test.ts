import { consuming } from './record-batch-mode.ts'

consuming.recordBatches = 'messages'
await import('./record-reader.local.test.ts')
