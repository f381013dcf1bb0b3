import { consuming } from './record-batch-mode.ts'

consuming.recordBatches = 'messages'
await import('./consumer-loop.test.ts')
