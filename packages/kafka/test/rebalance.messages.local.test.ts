import { consuming } from './record-batch-mode.ts'

consuming.recordBatches = 'messages'
await import('./rebalance.local.test.ts')
